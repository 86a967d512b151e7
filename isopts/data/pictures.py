"""Image files as uint8 arrays."""

from pathlib import Path

import imageio.v3 as imageio
import numpy as np

from isopts.errors import InputError

_UNREADABLE = (OSError, ValueError, SyntaxError, TypeError, EOFError)  # what the decoders behind imageio raise


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels, from the file's header alone. Raises InputError."""
    try:
        height, width = imageio.improps(path, plugin="pillow").shape[:2]
    except _UNREADABLE as error:
        raise _unreadable(path, error) from None
    return width, height


def read_picture(path: Path) -> np.ndarray:
    """(H, W, C) uint8, C = 1 (grey), 2 (with alpha), 3 (RGB) or 4 (with alpha); 16 bits are cut to the upper 8.

    Raises:
        InputError: no such file, no image, or values of another type.
    """
    try:
        picture = imageio.imread(path, plugin="pillow")
    except _UNREADABLE as error:
        raise _unreadable(path, error) from None
    picture = picture[..., None] if picture.ndim == 2 else picture
    if picture.dtype == bool:
        picture = picture.astype(np.uint8) * 255
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] > 4:
        raise InputError(f"'{path}' holds {picture.shape} {picture.dtype}; expected an image of 8 or 16 bits.")
    return picture


def _unreadable(path: Path, error: Exception) -> InputError:
    if not path.is_file():
        return InputError(f"The image '{path}' does not exist.")
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return InputError(f"'{path}' cannot be read as an image ({reason}).")


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write (H, W, 3) uint8; the suffix chooses the format."""
    imageio.imwrite(path, picture, plugin="pillow")
