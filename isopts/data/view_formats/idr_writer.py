"""Write views in the convention of IDR, which `idr.py` reads: `image/`, `mask/`, `cameras.npz`; and `depth/` beside it.

depth/000.npy (H, W) float32: along the optical axis, in world units, 0 where the ray through the pixel's middle meets
nothing.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from isopts.data.pictures import write_picture
from isopts.data.view_formats.idr import SCALE, WORLD
from isopts.geometry.cameras import Cameras
from isopts.geometry.sphere import Sphere

CAMERAS_FILE = "cameras.npz"
VIEW_FOLDERS = ("image", "mask", "depth")
_SUFFIXES = (".png", ".png", ".npy")


def idr_view_files(number: int, count: int) -> list[str]:
    """Image, mask and depth of one of `count` views, relative to the folder; readers take images by name."""
    name = f"{number:0{max(3, len(str(count - 1)))}d}"
    return [f"{folder}/{name}{suffix}" for folder, suffix in zip(VIEW_FOLDERS, _SUFFIXES, strict=True)]


def idr_files(count: int) -> Iterator[str]:
    """Every file of `count` views, the cameras first."""
    yield CAMERAS_FILE
    for number in range(count):
        yield from idr_view_files(number, count)


def write_idr_view(
    folder: Path, number: int, count: int, image: np.ndarray, mask: np.ndarray, depth: np.ndarray
) -> None:
    """Write one of `count` views; creates the folders in `folder`.

    Args:
        image: (H, W, 3) uint8. mask: (H, W) bool. depth: (H, W), world units.
    """
    paths = [folder / name for name in idr_view_files(number, count)]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
    write_picture(paths[0], image)
    write_picture(paths[1], np.where(mask, np.uint8(255), np.uint8(0)))
    np.save(paths[2], depth.astype(np.float32))


def write_idr_cameras(path: Path, cameras: Cameras, region: Sphere) -> None:
    """Write the NPZ file `path`.

    Args:
        cameras: float64, world frame.
        region: sphere around the object; scale_mat maps the unit sphere to it.
    """
    last = torch.tensor([[0.0, 0, 0, 1]], dtype=torch.float64)
    scale = np.diag([region.radius] * 3 + [1.0])
    scale[:3, 3] = region.center
    matrices = {}
    for view, projection in enumerate(cameras.projections()):
        matrices |= {f"{WORLD}{view}": torch.cat([projection, last]).numpy(), f"{SCALE}{view}": scale}
    np.savez(path, **matrices)
