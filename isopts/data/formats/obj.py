"""Wavefront OBJ: vertices and vertex normals."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from isopts.errors import InputError


def read_obj_vertices(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """`v` as (N, 3) float64, and `vn` (N, 3) when there are as many, the i-th belonging to the i-th vertex.

    Raises:
        InputError: no vertices, or a row that is no three numbers.
    """
    with path.open("rb") as file:
        lines = [line for line in file if line.startswith((b"v ", b"v\t", b"vn"))]
    vertices = _table(path, [line[1:] for line in lines if not line.startswith(b"vn")])
    normals = [line[2:] for line in lines if line.startswith(b"vn")]
    return vertices, _table(path, normals) if len(normals) == len(vertices) > 0 else None


def _table(path: Path, lines: Sequence[bytes]) -> np.ndarray:
    if not lines:
        return np.empty((0, 3))
    try:
        return np.loadtxt(lines, usecols=(0, 1, 2), ndmin=2)
    except ValueError as error:
        raise InputError(f"'{path}' is a damaged OBJ file: {str(error).splitlines()[0]}.") from None
