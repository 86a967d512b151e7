"""COLMAP's sparse points, as text and binary."""

import struct

import numpy as np
import pytest

from isopts.data.view_formats.colmap_points import find_sparse_points, read_sparse_points
from isopts.errors import InputError

COUNT = 60
POINTS = np.random.default_rng(0).normal(size=(COUNT, 3)) * 100
TRACKS = [3] * 55 + [2] * (COUNT - 55)


def write_text(folder, points=POINTS, tracks=TRACKS):
    lines = ["# 3D point list with one line of data per point:", ""]
    for number, (point, track) in enumerate(zip(points, tracks, strict=True), start=1):
        seen = " ".join(f"{image} {10 * image}" for image in range(track))
        lines.append(f"{number} {' '.join(map(repr, point.tolist()))} 10 20 255 0.75 {seen}")
    (folder / "points3D.txt").write_text("\n".join(lines) + "\n")
    return folder / "points3D.txt"


def write_binary(folder, points=POINTS, tracks=TRACKS):
    data = struct.pack("<Q", len(points))
    for number, (point, track) in enumerate(zip(points, tracks, strict=True), start=1):
        data += struct.pack("<Q3d3BdQ", number, *point, 10, 20, 255, 0.75, track)
        data += struct.pack("<ii", 1, 2) * track
    (folder / "points3D.bin").write_bytes(data)
    return folder / "points3D.bin"


@pytest.mark.parametrize("write", [write_text, write_binary])
def test_points_of_three_images_are_read_to_the_last_digit(tmp_path, write):
    np.testing.assert_array_equal(read_sparse_points(write(tmp_path)), POINTS[:55])


@pytest.mark.parametrize("write", [write_text, write_binary])
def test_all_are_taken_where_few_are_seen_by_three(tmp_path, write):
    points = POINTS[:30].copy()
    points[4] = np.nan
    found = read_sparse_points(write(tmp_path, points, [2] * 30))
    np.testing.assert_array_equal(found, np.delete(points, 4, axis=0))


@pytest.mark.parametrize("write", [write_text, write_binary])
def test_no_points(tmp_path, write):
    assert read_sparse_points(write(tmp_path, POINTS[:0], [])).shape == (0, 3)


def test_the_file_of_the_same_kind_as_the_cameras_is_taken(tmp_path):
    assert find_sparse_points(tmp_path) is None
    text, binary = write_text(tmp_path), write_binary(tmp_path)
    assert find_sparse_points(tmp_path) == text
    (tmp_path / "cameras.bin").touch()
    assert find_sparse_points(tmp_path) == binary


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("7 1.0 2.0", "line 63: expected number, x, y, z"),
        ("7 1 2 3 9 9 9 0.5 1", "line 63"),
        ("7 a 2 3 9 9 9 0 1 1", "63"),
    ],
)
def test_a_damaged_line_is_named(tmp_path, line, expected):
    path = write_text(tmp_path)
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(InputError, match=expected):
        read_sparse_points(path)


@pytest.mark.parametrize("bytes_left", [3, 20, -5])
def test_a_truncated_binary_file_is_one_sentence(tmp_path, bytes_left):
    path = write_binary(tmp_path)
    path.write_bytes(path.read_bytes()[:bytes_left])
    with pytest.raises(InputError, match="holds no COLMAP points or is truncated"):
        read_sparse_points(path)
