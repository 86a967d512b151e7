"""transforms.json of NeRF's Blender scenes, instant-ngp and nerfstudio.

transform_matrix (4, 4): camera to world with OpenGL's camera axes: x right, y up, z backward. Intrinsics in pixels
(fl_x, fl_y, cx, cy; for all images or in each frame) or as horizontal angle of view in radians (camera_angle_x).
cx, cy count from the corner of the image. Lens: k1, k2, p1, p2.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from isopts.data.pictures import picture_size
from isopts.data.posed_image import IMAGE_SUFFIXES, FoundViews, PosedImage, require_images
from isopts.errors import InputError
from isopts.geometry.cameras import Camera
from isopts.geometry.distortion import Distortion

_FILES = ("transforms.json", "transforms_train.json")
_LENSES = ("", "PINHOLE", "SIMPLE_PINHOLE", "OPENCV", "PERSPECTIVE")
_UNSUPPORTED = ("k3", "k4", "k5", "k6", "is_fisheye")
_OPENGL_TO_OPENCV = np.diag([1.0, -1.0, -1.0])


def find_transforms(folder: Path) -> Path | None:
    """The camera file of such a folder."""
    return next((folder / name for name in _FILES if (folder / name).is_file()), None)


def read_transforms(path: Path) -> FoundViews:
    """Read the file `path`. Frames without an image are skipped and counted in a note, as other programs skip them
    (instant-ngp's own example has such), unless they are the majority. Raises InputError."""
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"'{path}' is no valid JSON ({str(error).splitlines()[0]}).") from None
    frames = contents.get("frames") if isinstance(contents, dict) else None
    if not isinstance(frames, list) or not all(isinstance(frame, dict) for frame in frames):
        raise InputError(
            f"'{path}' has no list of frames; expected the transforms.json of Blender, instant-ngp or nerfstudio."
        )
    images = [_image_file(path, frame) for frame in frames]
    missing = [image for image in images if not image.is_file()]
    if len(missing) > len(images) / 2:
        require_images(images)
    shared = {key: value for key, value in contents.items() if key != "frames"}
    posed = [
        _posed_image(path, image, frame, shared | frame)
        for image, frame in zip(images, frames, strict=True)
        if image not in missing
    ]
    count = f"{len(missing)} of {len(frames)} frames in '{path}' are skipped"
    notes = (f"{count}: they have no image, such as '{missing[0]}'.",) if missing else ()
    return FoundViews(tuple(posed), notes=notes)


def _image_file(path: Path, frame: dict[str, Any]) -> Path:
    if not isinstance(name := frame.get("file_path"), str):
        raise InputError(f"A frame in '{path}' has no file_path; expected the name of its image.")
    image = path.parent / name
    if image.suffix.lower() in IMAGE_SUFFIXES or image.is_file():
        return image
    named = [image.with_name(image.name + suffix) for suffix in IMAGE_SUFFIXES]  # Blender scenes leave it out
    return next((candidate for candidate in named if candidate.is_file()), named[0])


def _posed_image(path: Path, image: Path, frame: dict[str, Any], values: dict[str, Any]) -> PosedImage:
    source = f"'{path}', frame '{frame['file_path']}'"
    if str(values.get("camera_model", "")) not in _LENSES or any(values.get(key) for key in _UNSUPPORTED):
        raise InputError(
            f"{source} has a lens that is not supported; undistort its images, or use k1, k2, p1, p2 only."
        )
    size = _size(image, values, source)
    mask = values.get("mask_path")
    return PosedImage(
        image,
        Camera(_intrinsics(values, size, source), *_extrinsics(frame, source)),
        path.parent / mask if isinstance(mask, str) else None,
        size,
        Distortion(*(_number(values, key, source, default=0.0) for key in ("k1", "k2", "p1", "p2"))),
    )


def _size(image: Path, values: dict[str, Any], source: str) -> tuple[int, int]:
    if "w" not in values or "h" not in values:
        return picture_size(image)
    return int(_number(values, "w", source)), int(_number(values, "h", source))


def _intrinsics(values: dict[str, Any], size: tuple[int, int], source: str) -> np.ndarray:
    if "fl_x" in values:
        focal_x = _number(values, "fl_x", source)
    elif "camera_angle_x" in values:
        focal_x = size[0] / 2 / math.tan(_number(values, "camera_angle_x", source) / 2)
    else:
        raise InputError(f"{source} has neither fl_x nor camera_angle_x; expected a focal length.")
    if "fl_y" in values:
        focal_y = _number(values, "fl_y", source)
    elif "fl_x" not in values and "camera_angle_y" in values:
        focal_y = size[1] / 2 / math.tan(_number(values, "camera_angle_y", source) / 2)
    else:
        focal_y = focal_x
    if not (focal_x > 0 and focal_y > 0):
        raise InputError(f"{source} has the focal lengths {focal_x:g} and {focal_y:g}; expected positive ones.")
    column = _number(values, "cx", source, default=size[0] / 2) - 0.5
    row = _number(values, "cy", source, default=size[1] / 2) - 0.5
    return np.array([[focal_x, 0, column], [0, focal_y, row], [0, 0, 1]])


def _extrinsics(frame: dict[str, Any], source: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        matrix = np.array(frame["transform_matrix"], dtype=np.float64)
    except (KeyError, TypeError, ValueError):
        matrix = np.empty(0)
    if matrix.shape not in ((4, 4), (3, 4)) or not np.isfinite(matrix).all():
        raise InputError(f"{source} has no transform_matrix of 4 x 4 numbers; expected camera to world.")
    axes = matrix[:3, :3]
    scale = np.cbrt(np.linalg.det(axes))
    if not np.allclose(axes @ axes.T, scale**2 * np.eye(3), atol=1e-3 * scale**2) or scale <= 0:
        raise InputError(f"{source} has a transform_matrix that is no rotation and shift; expected camera to world.")
    rotation = _OPENGL_TO_OPENCV @ (axes / scale).T
    return rotation, -rotation @ matrix[:3, 3]


def _number(values: dict[str, Any], key: str, source: str, default: float | None = None) -> float:
    value = values.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(f"{source}: '{key}' is {value!r}; expected a number.")
    return float(value)
