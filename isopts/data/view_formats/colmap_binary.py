"""COLMAP's cameras.bin and images.bin, little-endian."""

import struct
from pathlib import Path

from isopts.data.view_formats.colmap_records import CameraRecord, ImageRecord, Model
from isopts.errors import InputError

_MODELS = {  # COLMAP's number -> name, parameters
    0: ("SIMPLE_PINHOLE", 3),
    1: ("PINHOLE", 4),
    2: ("SIMPLE_RADIAL", 4),
    3: ("RADIAL", 5),
    4: ("OPENCV", 8),
    5: ("OPENCV_FISHEYE", 8),
    6: ("FULL_OPENCV", 12),
    7: ("FOV", 5),
    8: ("SIMPLE_RADIAL_FISHEYE", 4),
    9: ("RADIAL_FISHEYE", 5),
    10: ("THIN_PRISM_FISHEYE", 12),
}
_POINT_BYTES = 8 + 8 + 8  # of a 2D point: x, y, number of the 3D point


def read_binary_model(folder: Path) -> Model:
    """Cameras by number, and the registered images. Raises InputError for a damaged file."""
    path = folder / "cameras.bin"
    try:
        cameras = _read_cameras(_Reader(path))
        path = folder / "images.bin"
        return cameras, _read_images(_Reader(path))
    except (struct.error, ValueError) as error:
        raise InputError(f"'{path}' is no COLMAP model or truncated ({error}).") from None


class _Reader:
    def __init__(self, path: Path) -> None:
        self._bytes = path.read_bytes()
        self._at = 0

    def take(self, layout: str) -> tuple:
        values = struct.unpack_from("<" + layout, self._bytes, self._at)
        self._at += struct.calcsize("<" + layout)
        return values

    def take_text(self) -> str:
        end = self._bytes.index(b"\0", self._at)
        text = self._bytes[self._at : end].decode("utf-8")
        self._at = end + 1
        return text

    def skip(self, count: int) -> None:
        if count > len(self._bytes) - self._at:
            raise ValueError("it ends too early")
        self._at += count


def _read_cameras(reader: _Reader) -> dict[int, CameraRecord]:
    cameras = {}
    for _ in range(reader.take("Q")[0]):
        number, model, width, height = reader.take("iiQQ")
        if model not in _MODELS:
            raise ValueError(f"unknown camera model {model}")
        name, parameters = _MODELS[model]
        cameras[number] = CameraRecord(name, width, height, reader.take(f"{parameters}d"))
    return cameras


def _read_images(reader: _Reader) -> list[ImageRecord]:
    images = []
    for _ in range(reader.take("Q")[0]):
        _, *pose, camera = reader.take("i7di")
        name = reader.take_text()
        reader.skip(reader.take("Q")[0] * _POINT_BYTES)
        images.append(ImageRecord(name, camera, tuple(pose[:4]), tuple(pose[4:])))
    return images
