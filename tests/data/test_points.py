import os
import pickle

import numpy as np
import pytest

from isopts.data.points import POINTS_MIN, read_points, write_points
from isopts.errors import InputError

RNG = np.random.default_rng(3)
NORMALS = RNG.normal(size=(80, 3))
NORMALS /= np.linalg.norm(NORMALS, axis=1, keepdims=True)
POINTS = NORMALS * 1.5 + [10, -20, 30]


def write(path, text):
    path.write_text(text)
    return path


def rows(*columns, separator=" "):
    table = np.hstack(columns)
    return "".join(separator.join(f"{value:.17g}" for value in row) + "\n" for row in table)


def obj(points=POINTS, normals=None):
    text = "# comment\nmtllib a.mtl\n" + "".join(f"v {x:.17g} {y:.17g} {z:.17g}\n" for x, y, z in points)
    if normals is not None:
        text += "".join(f"vn {x:.17g} {y:.17g} {z:.17g}\n" for x, y, z in normals)
    return text + "vt 0 0\nf 1 2 3\n"


CASES = {
    "plain.xyz": (rows(POINTS), False),
    "normals.xyz": (rows(POINTS, NORMALS), True),
    "tabs.txt": (rows(POINTS, NORMALS, separator="\t"), True),
    "commas.csv": ("x,y,z\n" + rows(POINTS, separator=","), False),
    "spaced.csv": (rows(POINTS, separator=" , "), False),
    "semicolons.csv": (rows(POINTS, separator=";"), False),
    "named.csv": ("id,nx,ny,nz,x,y,z\n" + rows(np.ones((80, 1)), NORMALS, POINTS, separator=","), True),
    "named_comment.txt": ("// X Y Z R G B\n" + rows(POINTS, NORMALS * 255), False),
    "counted.pts": ("80\n" + rows(POINTS, np.full((80, 1), -700), np.full((80, 3), 128)), False),
    "comments.xyz": ("# scan\n\n# of a ball\n" + rows(POINTS).replace("\n", " # inside\n", 1), False),
    "one_colour.txt": (rows(POINTS, NORMALS * 128 + 128), False),
    "wide.xyz": (rows(POINTS, NORMALS, NORMALS), True),
    "plain.obj": (obj(), False),
    "normals.obj": (obj(normals=NORMALS), True),
    "fewer_normals.obj": (obj(normals=NORMALS[:7]), False),
    "colours.obj": (obj().replace("\nf ", "\nvp 1\nf "), False),
    "plain.off": ("OFF\n80 1 0\n" + rows(POINTS) + "3 0 1 2\n", False),
    "one_line.off": ("OFF 80 0 0\n\n# comment\n" + rows(POINTS), False),
    "colours.off": ("COFF\n80 0 0\n" + rows(POINTS, np.full((80, 4), 255)), False),
    "normals.off": ("NOFF\n80 0 0\n" + rows(POINTS, NORMALS), True),
    "both.off": ("CNOFF\n80 0 0\n" + rows(POINTS, NORMALS, np.full((80, 4), 255)), True),
    "windows.xyz": (rows(POINTS).replace("\n", "\r\n"), False),
    "UPPER.XYZ": (rows(POINTS), False),
}


@pytest.mark.parametrize("name", CASES)
def test_text_formats(tmp_path, name):
    text, has_normals = CASES[name]
    cloud, report = read_points(write(tmp_path / name, text))
    assert np.array_equal(cloud.points, POINTS)
    assert cloud.points.dtype == np.float64
    assert report.read == 80
    if has_normals:
        assert np.allclose(cloud.normals, NORMALS, atol=1e-6)
        assert cloud.normals.dtype == np.float32
    else:
        assert cloud.normals is None


def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path):
    text = "x,y,z,intensity,nx,ny,nz\n" + "".join(f"{x},{y},{z},7,0,0,1\n" for x, y, z in POINTS)
    (tmp_path / "named.csv").write_text(text, encoding="utf-8-sig")
    cloud, _ = read_points(tmp_path / "named.csv")
    assert len(cloud) == len(POINTS)
    np.testing.assert_array_equal(cloud.normals, np.tile([0, 0, 1], (len(POINTS), 1)))
    (tmp_path / "plain.xyz").write_text(rows(POINTS), encoding="utf-8-sig")
    assert len(read_points(tmp_path / "plain.xyz")[0]) == len(POINTS)


def test_an_archive_is_no_npy(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError, match="cannot be read as NPY"):
        read_points(tmp_path / "a.npy")


def test_columns_that_are_no_normals_are_reported(tmp_path):
    cloud, report = read_points(write(tmp_path / "a.xyz", rows(POINTS, np.full((80, 3), 200.0))))
    assert cloud.normals is None
    assert report.sentences() == ["Columns 4 to 6 are ignored: they are no unit normals."]


@pytest.mark.parametrize("dtype", ["f4", "f8", ">f8", "i4"])
def test_npy(tmp_path, dtype):
    np.save(tmp_path / "a.npy", (POINTS * 100).astype(dtype))
    cloud, _ = read_points(tmp_path / "a.npy")
    assert np.array_equal(cloud.points, (POINTS * 100).astype(dtype).astype(float))


def test_npy_with_normals(tmp_path):
    np.save(tmp_path / "a.npy", np.hstack([POINTS, NORMALS]))
    assert np.allclose(read_points(tmp_path / "a.npy")[0].normals, NORMALS)


class Exploit:
    def __init__(self, victim):
        self.victim = victim

    def __reduce__(self):
        return os.mkdir, (str(self.victim),)


def test_npy_never_runs_code(tmp_path):
    np.save(tmp_path / "a.npy", np.array([Exploit(tmp_path / "executed")], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="holds Python objects, which could run code"):
        read_points(tmp_path / "a.npy")
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Exploit(tmp_path / "executed")))
    with pytest.raises(InputError, match="does not begin as an NPY file does"):
        read_points(tmp_path / "b.npy")
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("value", [np.zeros((3, 80)), np.zeros(80), np.zeros((80, 4)), np.zeros((80, 3), complex)])
def test_npy_of_another_shape_or_type(tmp_path, value):
    np.save(tmp_path / "a.npy", value)
    with pytest.raises(InputError, match=r"expected (an array \(N, 3\)|real numbers)"):
        read_points(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("none.xyz", None, "does not exist"),
        ("a.las", "LASF", r"unknown suffix '\.las'; expected one of \.ply"),
        ("a", "x", "unknown suffix ''"),
        ("a.xyz", "", "no row of at least three numbers"),
        ("a.xyz", "hello\nworld\n", "no row of at least three numbers"),
        ("a.xyz", "1 2\n" * 90, "no row of at least three numbers"),
        ("a.xyz", rows(POINTS) + "1 2\n", "cannot be read as a table"),
        ("a.xyz", rows(POINTS) + "1 2 x\n", "cannot be read as a table"),
        ("a.xyz", rows(POINTS[:49]), "49 usable points of 49; at least 50"),
        ("a.xyz", rows(POINTS[:49]) * 2, "49 usable points of 98; .* Dropped 49 of 98 points that repeat"),
        ("a.xyz", "1 2 3\n" * 60, "All 60 points in .* are the same"),
        ("a.xyz", "nan nan nan\n" * 60, "0 usable points of 60"),
        ("a.npy", "not numpy", "cannot be read as NPY"),
        ("a.npy", "", "cannot be read as NPY"),
        ("a.obj", "f 1 2 3\n", "holds no points"),
        ("a.obj", obj() + "v 1 2\n", "damaged OBJ"),
        ("a.off", "OFF\n0 0 0\n", "holds no points"),
        ("a.off", "OFF\n90 0 0\n" + rows(POINTS), "announces 90 vertices, it holds 80"),
        ("a.off", "OFF\n", "number of vertices is missing"),
        ("a.off", "OFF BINARY\n", "no ASCII OFF"),
        ("a.off", "solid\n", "no ASCII OFF"),
        ("a.off", "OFF\n80 0 0\n" + rows(POINTS).replace(" ", " x ", 1), "damaged OFF"),
        ("a.ply", "ply\nformat ascii 1.0\nelement face 0\nproperty int a\nend_header\n", "has no vertices"),
        ("a.ply", "ply\nformat ascii 1.0\nelement vertex 0\nproperty float x\nend_header\n", "no property 'y'"),
    ],
)
def test_unusable_files_are_one_clear_sentence(tmp_path, name, text, expected):
    if text is not None:
        write(tmp_path / name, text)
    with pytest.raises(InputError, match=expected) as error:
        read_points(tmp_path / name)
    assert "\n" not in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_a_folder_is_no_cloud(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        read_points(tmp_path)


def test_the_smallest_cloud(tmp_path):
    cloud, _ = read_points(write(tmp_path / "a.xyz", rows(POINTS[:POINTS_MIN])))
    assert len(cloud) == POINTS_MIN


@pytest.mark.parametrize("name", ["a.ply", "a.xyz", "a.npy"])
@pytest.mark.parametrize("offset", [0, 5e6])
def test_what_is_written_is_read_back(tmp_path, name, offset):
    points = (POINTS - POINTS.mean(axis=0)) + offset
    write_points(tmp_path / name, points, NORMALS)
    cloud, report = read_points(tmp_path / name)
    assert np.abs(cloud.points - points).max() <= 1e-6 * np.ptp(points, axis=0).max()
    assert np.allclose(cloud.normals, NORMALS, atol=1e-6)
    assert report.sentences() == []


def test_geo_referenced_points_keep_every_bit_in_ply(tmp_path):
    points = POINTS + np.array([4.2e6, 5e5, 0])
    write_points(tmp_path / "a.ply", points)
    assert np.array_equal(read_points(tmp_path / "a.ply")[0].points, points)


def test_scalars_and_comments_are_in_the_file(tmp_path):
    curvature = np.linspace(0, 1, 80).astype(np.float32)
    write_points(tmp_path / "a.ply", POINTS, NORMALS, {"curvature": curvature}, ["isopts 0.1.0, step 7"])
    header, _, _ = (tmp_path / "a.ply").read_bytes().partition(b"end_header")
    assert b"comment isopts 0.1.0, step 7\n" in header
    assert header.rstrip().endswith(b"property float curvature")
    assert np.allclose(read_points(tmp_path / "a.ply")[0].points, POINTS)


def test_points_are_not_written_into_a_foreign_format(tmp_path):
    with pytest.raises(InputError, match=r"Cannot write points as '\.stl'"):
        write_points(tmp_path / "a.stl", POINTS)


@pytest.mark.needs_data
@pytest.mark.parametrize(
    ("name", "count", "has_normals"),
    [("bunny_scan", 361889, True), ("gargoyle", 95435, True), ("abc_00011084_scan", 59979, False)],
)
def test_real_scans(data_dir, name, count, has_normals):
    cloud, report = read_points(data_dir / "points" / f"{name}.ply")
    assert (len(cloud), cloud.normals is not None, report.sentences()) == (count, has_normals, [])
