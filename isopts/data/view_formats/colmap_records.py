"""What text and binary COLMAP models have in common."""

from typing import NamedTuple


class CameraRecord(NamedTuple):
    """model: COLMAP's name of the lens model; parameters in its order; width and height in pixels."""

    model: str
    width: int
    height: int
    parameters: tuple[float, ...]


class ImageRecord(NamedTuple):
    """name: file name, `/` between folders; camera: number; quaternion (w, x, y, z), translation: world to camera."""

    name: str
    camera: int
    quaternion: tuple[float, ...]
    translation: tuple[float, ...]


Model = tuple[dict[int, CameraRecord], list[ImageRecord]]
