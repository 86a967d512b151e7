"""Folders of IDR, its DTU scans and NeuS: `image/`, `mask/` and `cameras.npz` or `cameras_sphere.npz`.

world_mat_i (4, 4): projection K [R | t] of the i-th image, world to pixels; (0, 0) is the centre of the upper left one.
scale_mat_i (4, 4): similarity from the unit sphere to the world, the same for each image.
"""

import re
from pathlib import Path

import numpy as np

from isopts.data.posed_image import FoundViews, PosedImage, image_files, image_folder
from isopts.data.view_formats.npz import read_npz
from isopts.errors import InputError
from isopts.geometry.projection_matrix import decompose_projection
from isopts.geometry.sphere import Sphere

CAMERA_FILES = ("cameras_sphere.npz", "cameras.npz")
WORLD, SCALE = "world_mat_", "scale_mat_"
_NAME = re.compile(rf"({WORLD}|{SCALE})(\d+)")
_SAME_SCALE = 1e-4  # relative


def find_idr(folder: Path) -> Path | None:
    """The camera file of such a folder."""
    return next((folder / name for name in CAMERA_FILES if (folder / name).is_file()), None)


def read_idr(path: Path) -> FoundViews:
    """Read the folder of the camera file `path`. Raises InputError."""
    arrays = read_npz(path, lambda name: _NAME.fullmatch(name) is not None)
    numbers = sorted(int(name.removeprefix(WORLD)) for name in arrays if name.startswith(WORLD))
    if not numbers:
        raise InputError(f"'{path}' has no world_mat_0; expected the cameras of IDR, DTU or NeuS.")
    images = image_files(image_folder(path.parent))
    chosen = _numbers_of(images, numbers, path)
    posed = []
    for image, number in zip(images, chosen, strict=True):
        try:
            camera = decompose_projection(_matrix(arrays, f"{WORLD}{number}", path)[:3])
        except ValueError as error:
            raise InputError(f"{WORLD}{number} in '{path}' is {error}; expected K [R | t].") from None
        posed.append(PosedImage(image, camera))
    return FoundViews(tuple(posed), _region(arrays, chosen, path))


def _numbers_of(images: list[Path], numbers: list[int], path: Path) -> list[int]:
    """The camera of each image: by order, or by the number in the image's name where there are fewer images."""
    if len(images) == len(numbers):
        return numbers
    named = [int(image.stem) if image.stem.isdecimal() else -1 for image in images]
    if images and set(named) <= set(numbers):
        return named
    raise InputError(
        f"'{path}' has {len(numbers)} cameras (world_mat_i) for {len(images)} images; expected one for each image."
    )


def _matrix(arrays: dict[str, np.ndarray], name: str, path: Path) -> np.ndarray:
    matrix = arrays[name]
    if matrix.shape not in ((4, 4), (3, 4)) or matrix.dtype.kind not in "fiu":
        raise InputError(f"{name} in '{path}' is {matrix.shape} {matrix.dtype}; expected a matrix (4, 4) of numbers.")
    return matrix.astype(np.float64)


def _region(arrays: dict[str, np.ndarray], numbers: list[int], path: Path) -> Sphere | None:
    names = [f"{SCALE}{number}" for number in numbers]
    if not all(name in arrays for name in names):
        return None
    matrices = np.stack([_matrix(arrays, name, path)[:3] for name in names])
    scales = np.cbrt(np.abs(np.linalg.det(matrices[:, :, :3])))
    if not np.isfinite(matrices).all() or scales.min() <= 0:
        raise InputError(f"scale_mat_{numbers[0]} in '{path}' is no similarity; expected scale and shift of a sphere.")
    if np.abs(matrices - matrices[0]).max() > _SAME_SCALE * np.abs(matrices[0]).max():
        raise InputError(f"scale_mat differs between the images of '{path}'; expected one region for all of them.")
    x, y, z = matrices[0, :, 3].tolist()
    return Sphere((x, y, z), float(scales[0]))
