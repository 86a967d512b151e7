"""Middlebury multi-view data: a text file `*_par.txt` beside the images.

First line: number of images. Then for each: `name.png` and 21 numbers, row by row: K (3, 3), R (3, 3), t (3),
projection K [R | t], image origin top left.
"""

from pathlib import Path

import numpy as np

from isopts.data.posed_image import FoundViews, PosedImage, require_images
from isopts.errors import InputError
from isopts.geometry.cameras import Camera

_NUMBERS = 9 + 9 + 3


def find_middlebury(folder: Path) -> Path | None:
    """The parameter file of such a folder."""
    return next(iter(sorted(folder.glob("*_par.txt"))), None)


def read_middlebury(path: Path) -> FoundViews:
    """Read the parameter file `path`. Raises InputError."""
    lines = [line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    count = lines[0][0] if lines and len(lines[0]) == 1 else ""
    if not count.isdecimal() or int(count) != len(lines) - 1:
        raise InputError(
            f"'{path}' lists {max(len(lines) - 1, 0)} cameras but begins with '{count}'; expected their number."
        )
    images = tuple(_posed_image(path, number, words) for number, words in enumerate(lines[1:], start=2))
    require_images([posed.image for posed in images])
    return FoundViews(images)


def _posed_image(path: Path, line: int, words: list[str]) -> PosedImage:
    try:
        numbers = np.array([float(word) for word in words[1:]])
    except ValueError:
        numbers = np.empty(0)
    if len(numbers) != _NUMBERS or not np.isfinite(numbers).all():
        raise InputError(
            f"'{path}', line {line}: expected an image and {_NUMBERS} numbers (K, R, t), got {len(words)} words."
        )
    camera = Camera(numbers[:9].reshape(3, 3), numbers[9:18].reshape(3, 3), numbers[18:])
    return PosedImage(path.parent / words[0], camera)
