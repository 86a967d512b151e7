"""Moving pictures, as GIF or MP4."""

from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import imageio.v2
import imageio.v3
import numpy as np

from isopts.errors import InputError

VIDEO_SUFFIXES = (".gif", ".mp4")
_FRAMES_A_SECOND = 20


def require_video(path: Path) -> None:
    """Raise the InputError that keeps `path` from being written as a video: ask before long work."""
    suffix = path.suffix.lower()
    if suffix not in VIDEO_SUFFIXES:
        raise InputError(
            f"The video '{path}' has no known format; use a name that ends in {' or '.join(VIDEO_SUFFIXES)}."
        )
    if suffix == ".mp4" and find_spec("imageio_ffmpeg") is None:
        raise InputError(
            f"The video '{path}' needs imageio's ffmpeg plugin, which is not installed; pip install imageio-ffmpeg, or "
            "choose a name that ends in .gif."
        )


def write_video(path: Path, frames: Iterable[np.ndarray]) -> None:
    """Write frames (H, W, 3) uint8 of one size, 20 a second. A GIF starts again at its end and has 256 colours a frame;
    an MP4 (H.264) loses an odd last row or column. Raises InputError."""
    require_video(path)
    if path.suffix.lower() == ".gif":
        with imageio.v3.imopen(path, "w", plugin="pillow") as file:
            for frame in frames:
                file.write(frame, duration=1000 / _FRAMES_A_SECOND, loop=0)
        return
    with imageio.v2.get_writer(path, format="FFMPEG", fps=_FRAMES_A_SECOND, macro_block_size=2, quality=8) as writer:
        for frame in frames:
            height, width = (side // 2 * 2 for side in frame.shape[:2])
            writer.append_data(frame[:height, :width])
