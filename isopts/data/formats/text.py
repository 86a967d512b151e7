"""Text tables of numbers: XYZ, PTS, CSV and their relatives."""

import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from isopts.errors import InputError

_HEADER_LINES = 20  # looked at to find the first row of numbers
_COMMENTS = ("#", "//")
_COORDINATES, _NORMALS = ("x", "y", "z"), ("nx", "ny", "nz")


def read_text_table(path: Path) -> np.ndarray:
    """Rows (N, C) float64, C = 3 (x y z) or 6 (and what is in columns 4 to 6).

    Values are separated by blanks, commas or semicolons. Comments (# or //), a line with the number of points and a
    line with the names of the columns are understood; names choose the columns when they include x, y and z.

    Raises:
        InputError: no three numbers in the first lines, or a row that differs from the first one.
    """
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first_lines = list(islice(file, _HEADER_LINES))
    header, separator = _split_header(path, first_lines)
    columns = _columns(first_lines[:header], len(_words(first_lines[header])))
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return np.loadtxt(file, comments=_COMMENTS, delimiter=separator, skiprows=header, usecols=columns, ndmin=2)
    except ValueError as error:
        raise InputError(f"'{path}' cannot be read as a table of numbers: {str(error).splitlines()[0]}.") from None


def write_text_table(path: Path, table: np.ndarray) -> None:
    """Write (N, C), blank-separated, with as many digits as float64 holds."""
    np.savetxt(path, table, fmt="%.17g")


def _split_header(path: Path, lines: Sequence[str]) -> tuple[int, str | None]:
    """Number of lines before the first row of numbers, and that row's separator (None: blanks)."""
    for index, line in enumerate(lines):
        if not line.lstrip().startswith(_COMMENTS) and _numbers(line) >= 3:
            return index, next((mark for mark in ",;" if mark in line), None)
    raise InputError(
        f"'{path}' has no row of at least three numbers in its first {_HEADER_LINES} lines; expected `x y z` per line."
    )


def _columns(header: Sequence[str], width: int) -> list[int]:
    for line in header:
        names = [word.strip("\"'").lower() for word in _words(line.lstrip("#/ "))]
        if set(_COORDINATES) <= set(names):
            wanted = _COORDINATES + (_NORMALS if set(_NORMALS) <= set(names) else ())
            return [names.index(name) for name in wanted]
    return list(range(6 if width >= 6 else 3))


def _words(line: str) -> list[str]:
    for mark in _COMMENTS:
        line = line.partition(mark)[0]
    return [word for word in re.split(r"[\s,;]+", line) if word]


def _numbers(line: str) -> int:
    """How many words of the line, from its start, are numbers."""
    count = 0
    for word in _words(line):
        try:
            float(word)
        except ValueError:
            break
        count += 1
    return count
