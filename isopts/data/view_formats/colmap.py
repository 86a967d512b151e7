"""COLMAP's sparse models, text or binary, with the images beside them.

Pose: unit quaternion (w, x, y, z) and translation, world to camera, OpenCV's axes. Principal points count from the
corner of the image. Camera models: see `_LENSES`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.spatial.transform import Rotation

from isopts.data.posed_image import IMAGE_FOLDERS, FoundViews, PosedImage, images_below, require_images
from isopts.data.view_formats.colmap_binary import read_binary_model
from isopts.data.view_formats.colmap_points import find_sparse_points, read_sparse_points
from isopts.data.view_formats.colmap_records import CameraRecord, ImageRecord
from isopts.data.view_formats.colmap_text import read_text_model
from isopts.errors import InputError
from isopts.geometry.cameras import Camera
from isopts.geometry.distortion import Distortion

_MODEL_FOLDERS = ("sparse/0", "sparse", "colmap/sparse/0", ".")
_IMAGE_FOLDERS = (*IMAGE_FOLDERS, "input", ".")


class _Lens(NamedTuple):
    parameters: int
    values: Callable[..., tuple[float, ...]]  # -> fx, fy, cx, cy, then the distortion


_LENSES = {
    "SIMPLE_PINHOLE": _Lens(3, lambda f, cx, cy: (f, f, cx, cy)),
    "PINHOLE": _Lens(4, lambda fx, fy, cx, cy: (fx, fy, cx, cy)),
    "SIMPLE_RADIAL": _Lens(4, lambda f, cx, cy, k: (f, f, cx, cy, k)),
    "RADIAL": _Lens(5, lambda f, cx, cy, k1, k2: (f, f, cx, cy, k1, k2)),
    "OPENCV": _Lens(8, lambda fx, fy, cx, cy, k1, k2, p1, p2: (fx, fy, cx, cy, k1, k2, p1, p2)),
}


def find_colmap(folder: Path) -> Path | None:
    """The folder of the model: the first with a pair of cameras and images files, `.bin` or `.txt`."""
    candidates = [folder / name for name in _MODEL_FOLDERS]
    return next((model for model in candidates if any(_has_model(model, suffix) for suffix in (".bin", ".txt"))), None)


def read_colmap(model: Path) -> FoundViews:
    """Read the model in the folder `model`; its images are found in the folders above it. Raises InputError."""
    binary = _has_model(model, ".bin")
    cameras, records = read_binary_model(model) if binary else read_text_model(model)
    if not records:
        raise InputError(f"The COLMAP model in '{model}' has no registered images; run the reconstruction again.")
    folder = _image_folder(model, records[0].name)
    posed = []
    for record in sorted(records, key=lambda record: record.name):
        if record.camera not in cameras:
            raise InputError(f"Image '{record.name}' in '{model}' names camera {record.camera}, which is not there.")
        posed.append(_posed_image(folder / record.name, record, cameras[record.camera], model))
    require_images([image.image for image in posed])
    registered = {image.image for image in posed}
    left = sum(path not in registered for path in images_below(folder)) if folder.name != model.name else 0
    notes = (f"{left} images in '{folder}' are skipped: COLMAP has not registered them.",) if left else ()
    points = find_sparse_points(model)
    return FoundViews(
        tuple(posed), notes=notes, sparse_points=None if points is None else lambda: read_sparse_points(points)
    )


def _has_model(folder: Path, suffix: str) -> bool:
    return all((folder / f"{name}{suffix}").is_file() for name in ("cameras", "images"))


def _image_folder(model: Path, name: str) -> Path:
    """The nearest folder above the model, or one of the usual names in it, that holds the image `name`."""
    root = model.absolute()
    above = [root, *root.parents[: len(Path(_MODEL_FOLDERS[2]).parts)]]
    places = [parent / folder for parent in above for folder in _IMAGE_FOLDERS]
    found = next((place for place in places if (place / name).is_file()), None)
    if found is None:
        raise InputError(
            f"The image '{name}' of the COLMAP model in '{model}' was not found; put the images into a folder 'images' "
            "beside the model."
        )
    return found


def _posed_image(image: Path, record: ImageRecord, camera: CameraRecord, model: Path) -> PosedImage:
    lens = _LENSES.get(camera.model)
    if lens is None:
        raise InputError(
            f"Camera {record.camera} in '{model}' has the model {camera.model}; supported are {', '.join(_LENSES)}: "
            "run `colmap image_undistorter` first."
        )
    if len(camera.parameters) != lens.parameters or not np.isfinite(camera.parameters).all():
        raise InputError(
            f"Camera {record.camera} in '{model}' is damaged: {camera.model} takes {lens.parameters} numbers."
        )
    focal_x, focal_y, column, row, *distortion = lens.values(*camera.parameters)
    if not (focal_x > 0 and focal_y > 0):
        raise InputError(f"Camera {record.camera} in '{model}' has no positive focal length.")
    if not (np.isfinite([*record.quaternion, *record.translation]).all() and any(record.quaternion)):
        raise InputError(f"Image '{record.name}' in '{model}' has a damaged pose: {record.quaternion}.")
    intrinsics = np.array([[focal_x, 0, column - 0.5], [0, focal_y, row - 0.5], [0, 0, 1]])
    w, x, y, z = record.quaternion
    rotation = Rotation.from_quat([x, y, z, w]).as_matrix()
    pose = Camera(intrinsics, rotation, np.array(record.translation))
    return PosedImage(image, pose, size=(camera.width, camera.height), distortion=Distortion(*distortion))
