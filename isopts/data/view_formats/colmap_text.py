"""COLMAP's cameras.txt and images.txt."""

from pathlib import Path

from isopts.data.view_formats.colmap_records import CameraRecord, ImageRecord, Model
from isopts.errors import InputError


def read_text_model(folder: Path) -> Model:
    """Cameras by number, and the registered images.

    cameras.txt: number, model, width, height, parameters. images.txt: two lines an image: number, quaternion,
    translation, camera, name; then its 2D points, which may be an empty line.

    Raises:
        InputError: a line that is something else.
    """
    cameras = {}
    for number, line in _lines(folder / "cameras.txt"):
        words = line.split()
        if words:
            try:
                parameters = tuple(map(float, words[4:]))
                cameras[int(words[0])] = CameraRecord(words[1], int(words[2]), int(words[3]), parameters)
            except (ValueError, IndexError):
                raise _damaged(folder / "cameras.txt", number, "number, model, width, height, parameters") from None
    images = []
    for number, line in list(_lines(folder / "images.txt"))[::2]:
        words = line.split(maxsplit=9)
        if words:
            try:
                pose = tuple(map(float, words[1:8]))
                images.append(ImageRecord(words[9].strip(), int(words[8]), pose[:4], pose[4:]))
            except (ValueError, IndexError):
                raise _damaged(folder / "images.txt", number, "number, 4 + 3 numbers, camera, name") from None
    return cameras, images


def _lines(path: Path) -> list[tuple[int, str]]:
    """Lines with their numbers, without comments and without the empty ones at the end."""
    lines = path.read_text(encoding="utf-8", errors="replace").rstrip().split("\n")
    return [(number, line) for number, line in enumerate(lines, start=1) if not line.startswith("#")]


def _damaged(path: Path, line: int, expected: str) -> InputError:
    return InputError(f"'{path}', line {line}: expected {expected}.")
