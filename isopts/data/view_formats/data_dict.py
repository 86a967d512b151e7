"""The iso-points authors' synthetic views: `image/`, `mask/` and `data_dict.npz` in PyTorch3D's camera convention.

camera_mat (V, 4, 4): world to camera for row vectors, `(x_camera, 1) = (x_world, 1) M`; camera axes: x left, y up,
z forward. cameras_type and cameras_params: class and arguments of the PyTorch3D camera. Its normalised device
coordinates grow to the left and up; the shorter side of the image spans -1 ... 1.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np

from isopts.data.pictures import picture_size
from isopts.data.posed_image import FoundViews, PosedImage, image_files, image_folder
from isopts.data.view_formats.npz import read_npz
from isopts.errors import InputError
from isopts.geometry.cameras import Camera

_FILE = "data_dict.npz"
_PYTORCH3D_TO_OPENCV = np.diag([-1.0, -1.0, 1.0])
_FIELD_OF_VIEW_CAMERAS = ("FoVPerspectiveCameras", "OpenGLPerspectiveCameras")
_FOCAL_LENGTH_CAMERAS = ("PerspectiveCameras", "SfMPerspectiveCameras")
_FIELD_OF_VIEW = 60.0  # degrees, PyTorch3D's default


def find_data_dict(folder: Path) -> Path | None:
    """The camera file of such a folder."""
    return folder / _FILE if (folder / _FILE).is_file() else None


def read_data_dict(path: Path) -> FoundViews:
    """Read the folder of the file `path`. Raises InputError."""
    arrays = read_npz(path, lambda name: name in ("camera_mat", "cameras_type", "cameras_params"))
    images = image_files(image_folder(path.parent))
    matrices = _matrices(arrays, path)
    if len(images) != len(matrices):
        raise InputError(f"'{path}' has {len(matrices)} cameras for {len(images)} images; expected one for each image.")
    kind = str(arrays["cameras_type"].item() if "cameras_type" in arrays else "").rpartition(".")[2]
    parameters = arrays["cameras_params"].item() if "cameras_params" in arrays else {}
    posed = []
    for image, matrix in zip(images, matrices, strict=True):
        rotation = _PYTORCH3D_TO_OPENCV @ matrix[:3, :3].T
        translation = _PYTORCH3D_TO_OPENCV @ matrix[3, :3]
        posed.append(
            PosedImage(image, Camera(_intrinsics(kind, parameters, picture_size(image), path), rotation, translation))
        )
    return FoundViews(tuple(posed))


def _matrices(arrays: dict[str, np.ndarray], path: Path) -> np.ndarray:
    try:
        matrices = np.asarray(arrays["camera_mat"].tolist(), dtype=np.float64)
    except (KeyError, TypeError, ValueError):
        matrices = np.empty(0)
    if matrices.ndim != 3 or matrices.shape[1:] != (4, 4) or not np.isfinite(matrices).all():
        raise InputError(f"'{path}' has no camera_mat of V x 4 x 4 numbers; expected the authors' data_dict.npz.")
    axes = matrices[:, :3, :3]
    if not np.allclose(axes @ axes.transpose(0, 2, 1), np.eye(3), atol=1e-3):
        raise InputError(f"camera_mat in '{path}' is no rotation and shift; expected world to camera.")
    return matrices


def _intrinsics(kind: str, parameters: Any, size: tuple[int, int], path: Path) -> np.ndarray:
    if not isinstance(parameters, dict):
        raise InputError(f"cameras_params in '{path}' is no dict; expected the arguments of a PyTorch3D camera.")
    width, height = size
    half = min(size) / 2
    shift = np.zeros(2)
    if kind in _FIELD_OF_VIEW_CAMERAS:
        angle = _first(parameters, "fov", _FIELD_OF_VIEW, path)[0]
        angle = math.radians(angle) if parameters.get("degrees", True) else angle
        aspect = _first(parameters, "aspect_ratio", 1.0, path)[0]
        focal = half / math.tan(angle / 2) / np.array([aspect, 1.0])
    elif kind in _FOCAL_LENGTH_CAMERAS:
        focal = np.resize(_first(parameters, "focal_length", 1.0, path), 2)
        shift = np.resize(_first(parameters, "principal_point", 0.0, path), 2)
        if parameters.get("in_ndc", True):
            focal, shift = focal * half, -shift * half
        else:
            shift = shift - np.array(size) / 2
    else:
        known = ", ".join(_FIELD_OF_VIEW_CAMERAS + _FOCAL_LENGTH_CAMERAS)
        raise InputError(f"cameras_type in '{path}' is '{kind}'; supported are {known}.")
    column, row = (width - 1) / 2 + shift[0], (height - 1) / 2 + shift[1]
    return np.array([[focal[0], 0, column], [0, focal[1], row], [0, 0, 1]])


def _first(parameters: dict[str, Any], name: str, default: float, path: Path) -> np.ndarray:
    """The value of the first camera, as (1,) or (2,): the authors give all cameras the same."""
    try:
        values = np.asarray(parameters.get(name, default), dtype=np.float64)
    except (TypeError, ValueError):
        values = np.empty(0)
    if values.size == 0 or not np.isfinite(values).all():
        raise InputError(f"'{name}' in cameras_params of '{path}' is {parameters.get(name)!r}; expected numbers.")
    return values.reshape(-1, values.shape[-1] if values.ndim else 1)[0]
