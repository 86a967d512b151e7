"""What a reader of a view format finds: image files and their cameras, before any pixel is read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from isopts.errors import InputError
from isopts.geometry.cameras import Camera
from isopts.geometry.distortion import Distortion
from isopts.geometry.sphere import Sphere

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
IMAGE_FOLDERS = ("image", "images", "rgb")


@dataclass(frozen=True)
class PosedImage:
    """image: file. camera: of the photograph, in the convention of `geometry/cameras.py`. mask: file named by the
    format itself; None: to be looked for. size: (width, height) that the intrinsics were made for, where the format
    says so. distortion: of the photograph."""

    image: Path
    camera: Camera
    mask: Path | None = None
    size: tuple[int, int] | None = None
    distortion: Distortion = field(default_factory=Distortion)


@dataclass(frozen=True)
class FoundViews:
    """images in the order of the format; region: the object's sphere, where the format has one; notes: sentences about
    what is not used; sparse_points: reads the points (N, 3) of the reconstruction that posed them, world frame."""

    images: tuple[PosedImage, ...]
    region: Sphere | None = None
    notes: tuple[str, ...] = ()
    sparse_points: Callable[[], np.ndarray] | None = None


def image_folder(folder: Path) -> Path:
    """The folder with the images of a data set: `image`, `images` or `rgb`.

    Raises:
        InputError: there is none.
    """
    for name in IMAGE_FOLDERS:
        if (folder / name).is_dir():
            return folder / name
    raise InputError(f"'{folder}' has no folder with images; expected one of {', '.join(IMAGE_FOLDERS)} in it.")


def image_files(folder: Path) -> list[Path]:
    """Images in a folder by name; [] where there is no folder."""
    return sorted(path for path in folder.iterdir() if _is_image(path)) if folder.is_dir() else []


def images_below(folder: Path) -> Iterator[Path]:
    """Images in a folder and the folders in it."""
    return (path for path in folder.rglob("*") if _is_image(path))


def require_images(images: list[Path]) -> None:
    """Raise InputError when one of the named images is no file."""
    if missing := [path for path in images if not path.is_file()]:
        more = f" (and {len(missing) - 1} more of {len(images)})" if len(missing) > 1 else ""
        raise InputError(f"The image '{missing[0]}' does not exist{more}; put it there or remove its camera.")


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
