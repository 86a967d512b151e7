"""The table reader gives what plyfile gives, or leaves the file to it."""

from io import BytesIO

import numpy as np
import pytest
from plyfile import PlyData

from isopts.data.formats.ply_ascii import read_scalar_elements

CAMERA = b"element camera 1\nproperty float64 focal\n"
VERTEX = b"element vertex 2\nproperty double x\nproperty uchar red\nproperty int label\n"
FACE = b"element face 1\nproperty list uchar int vertex_indices\n"
VERTEX_ROWS = b"1.25 255 -7\n-3e-9 0 70000\n"


def header(*elements):
    return b"ply\nformat ascii 1.0\ncomment element vertex 99\n" + b"".join(elements) + b"end_header"


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["unix", "windows"])
def test_columns_are_those_of_plyfile(line_end):
    head, rows = header(CAMERA, VERTEX, FACE), b"\n50\n" + VERTEX_ROWS + b"3 0 1 0\n"
    head, rows = (part.replace(b"\n", line_end) for part in (head, rows))
    found = read_scalar_elements(head, rows, ("vertex",))
    expected = PlyData.read(BytesIO(head + rows))["vertex"].data
    assert found.keys() == {"vertex"}
    assert tuple(found["vertex"]) == expected.dtype.names
    for name, column in found["vertex"].items():
        assert column.dtype == expected.dtype[name]
        np.testing.assert_array_equal(column, expected[name])


def test_elements_that_are_not_wanted_may_follow_in_any_state():
    found = read_scalar_elements(header(VERTEX, FACE), b"\n" + VERTEX_ROWS + b"3 0", ("vertex", "splat"))
    np.testing.assert_array_equal(found["vertex"]["x"], [1.25, -3e-9])
    assert read_scalar_elements(header(VERTEX), b"\n" + VERTEX_ROWS, ("splat",)) == {}


@pytest.mark.parametrize(
    ("elements", "rows"),
    [
        ((FACE, VERTEX), b"3 0 1 0\n" + VERTEX_ROWS),
        ((VERTEX,), VERTEX_ROWS[:-10]),
        ((VERTEX,), b"1.25 255\n-3 0\n"),
        ((VERTEX,), b"1.25 255.5 -7\n-3 0 7\n"),
        ((VERTEX,), b"1.25 256 -7\n-3 0 7\n"),
        ((VERTEX,), b"1.25 x -7\n-3 0 7\n"),
        ((VERTEX,), b"\n" + VERTEX_ROWS),
    ],
    ids=["list first", "truncated", "short rows", "fraction", "overflow", "word", "empty line"],
)
def test_irregular_files_are_left_to_plyfile(elements, rows):
    assert read_scalar_elements(header(*elements), b"\n" + rows, ("vertex",)) is None
