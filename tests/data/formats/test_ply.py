import itertools
import struct

import numpy as np
import pytest

from isopts.data.formats.ply import read_ply, write_ply
from isopts.errors import InputError

POINTS = np.array([[0.5, -1.25, 3], [7, 8, 9], [1e-3, 0, -4]])
FORMATS = ("ascii", "binary_little_endian", "binary_big_endian")


def ply(tmp_path, kind, header, rows, name="given.ply"):
    """A PLY file whose rows are lists of (struct code, value)."""
    path = tmp_path / name
    text = "\n".join(
        ["ply", f"format {kind} 1.0", "comment a comment", "obj_info x", *header, "end_header", ""]
    ).encode()
    if kind == "ascii":
        body = "".join(" ".join(str(value) for _, value in row) + "\n" for row in rows).encode()
    else:
        order = "<" if "little" in kind else ">"
        body = b"".join(struct.pack(order + code, value) for row in rows for code, value in row)
    path.write_bytes(text + body)
    return path


def vertices(code="f", extra=()):
    return [[(code, value) for value in point] + list(extra) for point in POINTS]


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(("name", "code"), [("float", "f"), ("double", "d"), ("float32", "f"), ("float64", "d")])
def test_coordinates_of_every_format(tmp_path, kind, name, code):
    header = ["element vertex 3", *(f"property {name} {axis}" for axis in "xyz")]
    columns = read_ply(ply(tmp_path, kind, header, vertices(code)), ("vertex",))["vertex"]
    expected = POINTS.astype("f4") if code == "f" and kind != "ascii" else POINTS
    assert np.array_equal(np.stack([columns[axis] for axis in "xyz"], axis=1), expected)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(
    ("name", "code"), [("char", "b"), ("uchar", "B"), ("short", "h"), ("ushort", "H"), ("int", "i"), ("uint", "I")]
)
def test_integers_of_every_size(tmp_path, kind, name, code):
    values = [1, 100, 7] if name.startswith("u") else [1, -100, 7]
    path = ply(tmp_path, kind, ["element vertex 3", f"property {name} x"], [[(code, value)] for value in values])
    assert read_ply(path, ("vertex",))["vertex"]["x"].tolist() == values


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("lengths", [(2, 2, 2), (0, 3, 1), (3, 0, 0), (0, 0, 0)])
def test_lists_before_and_among_the_coordinates(tmp_path, kind, lengths):
    header = [
        "element camera 3",
        "property list uchar int views",
        "property short id",
        "element vertex 3",
        "property float x",
        "property list int float weights",
        "property float y",
        "property float z",
        "element face 2",
        "property list uchar uint vertex_indices",
    ]
    entries = [[("B", n), *(("i", 10 * row + i) for i in range(n)), ("h", row)] for row, n in enumerate(lengths)]
    for point, n in zip(POINTS, lengths, strict=True):
        entries.append(
            [("f", point[0]), ("i", n), *(("f", 0.5 * i) for i in range(n)), ("f", point[1]), ("f", point[2])]
        )
    entries += [[("B", 3), ("I", 0), ("I", 1), ("I", 2)]] * 2
    elements = read_ply(ply(tmp_path, kind, header, entries), ("vertex", "face", "camera"))
    columns = elements["vertex"]
    assert np.allclose(np.stack([columns[axis] for axis in "xyz"], axis=1), POINTS.astype("f4"))
    assert columns["weights"].counts.tolist() == list(lengths)
    assert columns["weights"].values.tolist() == [0.5 * i for n in lengths for i in range(n)]
    assert elements["camera"]["views"].values.tolist() == [
        10 * row + i for row, n in enumerate(lengths) for i in range(n)
    ]
    assert elements["face"]["vertex_indices"].values.tolist() == [0, 1, 2, 0, 1, 2]


def test_only_wanted_elements_are_read(tmp_path):
    header = ["element vertex 3", "property float x", "element face 900", "property list uchar int vertex_indices"]
    path = ply(tmp_path, "binary_little_endian", header, [[("f", 1.0)]] * 3)  # the faces are missing
    assert list(read_ply(path, ("vertex",))) == ["vertex"]
    assert read_ply(path, ()) == {}
    with pytest.raises(InputError, match="ends within its list"):
        read_ply(path, ("face",))


@pytest.mark.parametrize("kind", FORMATS)
def test_an_element_without_rows_or_properties(tmp_path, kind):
    header = ["element vertex 0", "property float x", "property list uchar int y", "element bare 0"]
    columns = read_ply(ply(tmp_path, kind, header, []), ("vertex", "bare"))
    assert len(columns["vertex"]["x"]) == len(columns["vertex"]["y"].counts) == 0
    assert columns["bare"] == {}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_truncation_is_one_sentence(tmp_path, kind):
    header = ["element vertex 3", *(f"property double {axis}" for axis in "xyz"), "property list uchar int a"]
    path = ply(tmp_path, kind, header, vertices("d", [("B", 1), ("i", 5)]))
    contents = path.read_bytes()
    refused = 0
    for length in range(len(contents) - 1):
        path.write_bytes(contents[:length])
        with pytest.raises(InputError) as error:
            read_ply(path, ("vertex",))
        assert "\n" not in str(error.value)
        refused += 1
    assert refused == len(contents) - 1


@pytest.mark.parametrize(
    "header",
    [
        ["property float x"],
        ["element vertex many"],
        ["element vertex 3", "property quaternion x"],
        ["element vertex 3", "property list float int x"],
        ["element vertex -3"],
        ["vertex 3"],
        ["format ebcdic 1.0"],
    ],
)
def test_a_damaged_header_is_quoted(tmp_path, header):
    with pytest.raises(InputError, match=f"'{header[-1]}' makes no sense"):
        read_ply(ply(tmp_path, "ascii", header, []), ("vertex",))


def test_foreign_files(tmp_path):
    path = tmp_path / "a.ply"
    for contents in (b"", b"solid stl", b"\x00" * 100, b"ply\nend_header\n"):
        path.write_bytes(contents)
        with pytest.raises(InputError, match=r"no PLY file|names no format"):
            read_ply(path, ("vertex",))


def test_words_in_ascii_numbers_are_damage(tmp_path):
    path = ply(tmp_path, "ascii", ["element vertex 1", "property float x"], [[("f", "one")]])
    with pytest.raises(InputError, match="damaged PLY"):
        read_ply(path, ("vertex",))


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8", ">f4"])
def test_what_is_written_is_read_back(tmp_path, dtype):
    column, faces = np.arange(5).astype(dtype), np.arange(12).reshape(4, 3).astype("i4")
    path = tmp_path / "a.ply"
    write_ply(path, {"vertex": {"x": column}, "face": {"vertex_indices": faces}}, ["step 3\nframe: world", "größe"])
    elements = read_ply(path, ("vertex", "face"))
    assert elements["vertex"]["x"].tolist() == column.tolist()
    assert elements["vertex"]["x"].dtype == np.dtype(dtype).newbyteorder("<")
    assert np.array_equal(elements["face"]["vertex_indices"].values.reshape(-1, 3), faces)
    assert b"comment step 3 frame: world\n" in path.read_bytes()


def test_another_reader_agrees(tmp_path):
    plyfile = pytest.importorskip("plyfile")
    path = tmp_path / "a.ply"
    for kind, order in itertools.product((False, True), "<>"):
        table = np.zeros(4, dtype=[("x", "f8"), ("red", "u1")])
        table["x"], table["red"] = [1.5, np.pi, -2, 1e300], [0, 1, 254, 255]
        element = plyfile.PlyElement.describe(table, "vertex")
        plyfile.PlyData([element], text=kind, byte_order=order).write(path)
        columns = read_ply(path, ("vertex",))["vertex"]
        assert columns["x"].tolist() == table["x"].tolist()
        assert columns["red"].tolist() == table["red"].tolist()
    write_ply(path, {"vertex": {"x": table["x"]}, "face": {"vertex_indices": np.zeros((2, 3), "i4")}})
    assert plyfile.PlyData.read(path)["vertex"]["x"].tolist() == table["x"].tolist()
