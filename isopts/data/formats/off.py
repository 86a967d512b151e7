"""OFF: vertices and vertex normals; the variants with colours and texture coordinates too."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from isopts.errors import InputError

_HEADER = re.compile(rb"(ST)?(C)?(N)?OFF\b(?!\s*BINARY)(.*)")


def read_off_vertices(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Vertices (N, 3) float64, and normals (N, 3) of a NOFF file. Raises InputError."""
    with path.open("rb") as file:
        lines = _lines(file)
        header = _HEADER.fullmatch(next(lines, b""))
        if header is None:
            raise InputError(f"'{path}' is no ASCII OFF file: it does not start with OFF, COFF, NOFF or CNOFF.")
        count = (header[4].split() or next(lines, b"").split() or [b""])[0]
        if not count.isdigit():
            raise InputError(f"'{path}' is a damaged OFF file: the number of vertices is missing.")
        rows = list(islice(lines, int(count)))
    if len(rows) < int(count):
        raise InputError(f"'{path}' is a damaged OFF file: it announces {int(count)} vertices, it holds {len(rows)}.")
    if not rows:
        return np.empty((0, 3)), None
    try:
        table = np.loadtxt(rows, usecols=range(6 if header[3] else 3), ndmin=2)
    except ValueError as error:
        raise InputError(f"'{path}' is a damaged OFF file: {str(error).splitlines()[0]}.") from None
    return table[:, :3], table[:, 3:] if header[3] else None


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines without comments; empty ones are left out."""
    for line in file:
        if content := line.partition(b"#")[0].strip():
            yield content
