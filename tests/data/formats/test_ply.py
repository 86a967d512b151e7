import struct

import numpy as np
import pytest

from isopts.data.formats.ply import read_ply, write_ply
from isopts.data.meshes import read_mesh
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
    assert np.array_equal(np.stack([columns[axis] for axis in "xyz"], axis=1), expected)  # ASCII keeps all digits


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


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("lengths", [(3, 3, 3), (4, 4, 4), (3, 4, 3), (1, 2, 1), (5, 0, 300)])
def test_polygons_of_any_length(tmp_path, kind, lengths):
    header = ["element face 3", "property list ushort int vertex_indices", "property uchar flag"]
    rows = [[("H", n), *(("i", row + i) for i in range(n)), ("B", row)] for row, n in enumerate(lengths)]
    face = read_ply(ply(tmp_path, kind, header, rows), ("face",))["face"]
    assert face["vertex_indices"].counts.tolist() == list(lengths)
    assert face["vertex_indices"].values.tolist() == [row + i for row, n in enumerate(lengths) for i in range(n)]
    assert face["flag"].tolist() == [0, 1, 2]


def test_only_wanted_elements_are_returned(tmp_path):
    header = ["element vertex 3", "property float x", "element face 1", "property list uchar int vertex_indices"]
    path = ply(tmp_path, "binary_little_endian", header, [*[[("f", 1.0)]] * 3, [("B", 0)]])
    assert list(read_ply(path, ("vertex", "camera"))) == ["vertex"]
    assert read_ply(path, ()) == {}


def test_what_was_read_outlives_the_file(tmp_path):
    write_ply(tmp_path / "a.ply", {"vertex": {"x": np.arange(5.0)}, "face": {"vertex_indices": np.eye(3, dtype="i4")}})
    elements = read_ply(tmp_path / "a.ply", ("vertex", "face"))
    with (tmp_path / "a.ply").open("r+b") as file:
        file.write(bytes((tmp_path / "a.ply").stat().st_size))
    assert elements["vertex"]["x"].tolist() == [0, 1, 2, 3, 4]
    assert elements["face"]["vertex_indices"].values.tolist() == np.eye(3).ravel().tolist()
    assert not any(isinstance(column, np.memmap) for column in elements["vertex"].values())


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
    ("header", "expected"),
    [
        (["property float x"], "line 5: expected one of"),
        (["element vertex many"], "many"),
        (["element vertex 3", "property quaternion x"], "line 6: field type 'quaternion'"),
        (["element vertex -3"], "announces -3 x vertex"),
        (["element vertex 999999999999", "property list uchar int x"], "announces 999999999999 x vertex"),
        (["element vertex 0", "property int x", "property int x"], "two properties with same name"),
        (["vertex 3"], "line 5: expected one of"),
        (["format ebcdic 1.0"], "line 5: expected one of"),
    ],
)
@pytest.mark.parametrize("kind", FORMATS)
def test_a_damaged_header_is_named(tmp_path, kind, header, expected):
    with pytest.raises(InputError, match=rf"given\.ply' cannot be read as PLY: .*{expected}"):
        read_ply(ply(tmp_path, kind, header, []), ("vertex",))


def test_foreign_files(tmp_path):
    path = tmp_path / "a.ply"
    for contents in (b"", b"solid stl", b"\x00" * 100, b"\x89PNG", b"ply\nend_header\n", b"ply\nformat ascii 1.0\n"):
        path.write_bytes(contents)
        with pytest.raises(InputError, match=r"a\.ply' cannot be read as PLY: .+; export it again, as PLY\.$"):
            read_ply(path, ("vertex",))


@pytest.mark.parametrize("kind", FORMATS)
def test_a_list_longer_than_the_file(tmp_path, kind):
    header = ["element face 1", "property list uint double vertex_indices"]
    with pytest.raises(InputError, match="element 'face': row 0: property 'vertex_indices': early end-of-"):
        read_ply(ply(tmp_path, kind, header, [[("I", 0xFFFFFFFF)]]), ("face",))


@pytest.mark.parametrize("word", ["one", "300", "-1", "1e99", "inf"])
def test_words_that_are_no_such_number_are_damage(tmp_path, word):
    for header in (["property uchar x"], ["property list uchar int x"]):
        with pytest.raises(InputError, match="cannot be read as PLY"):
            read_ply(ply(tmp_path, "ascii", ["element vertex 1", *header], [[("", word)]]), ("vertex",))


@pytest.mark.parametrize("kind", FORMATS)
def test_any_damage_is_read_or_refused_in_one_sentence(tmp_path, kind):
    header = ["element vertex 3", *(f"property float {axis}" for axis in "xyz"), "property list uchar int a"]
    header += ["element face 2", "property list uchar int vertex_indices"]
    faces = [[("B", 3), ("i", 0), ("i", 1), ("i", 2)]] * 2
    path = ply(tmp_path, kind, header, vertices("f", [("B", 1), ("i", 5)]) + faces)
    contents, generator, sentences = path.read_bytes(), np.random.default_rng(5), []
    for _ in range(300):
        damaged = np.frombuffer(contents, np.uint8).copy()
        damaged[generator.integers(len(damaged), size=2)] ^= 1 << generator.integers(8, size=2, dtype=np.uint8)
        path.write_bytes(damaged.tobytes())
        try:
            read_mesh(path)
        except InputError as error:
            sentences.append(str(error))
    assert 100 < len(sentences) < 300
    assert all(str(path) in sentence and "\n" not in sentence for sentence in sentences)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "f4", "f8", ">f4"])
def test_what_is_written_is_read_back(tmp_path, dtype):
    column, faces = np.arange(5).astype(dtype), np.arange(12).reshape(4, 3).astype("i4")
    path = tmp_path / "a.ply"
    write_ply(path, {"vertex": {"x": column}, "face": {"vertex_indices": faces}}, ["step 3\nframe: world", "größe"])
    elements = read_ply(path, ("vertex", "face"))
    assert elements["vertex"]["x"].tolist() == column.tolist()
    assert elements["vertex"]["x"].dtype == np.dtype(dtype).newbyteorder("=")
    assert np.array_equal(elements["face"]["vertex_indices"].values.reshape(-1, 3), faces)
    contents = path.read_bytes()
    assert contents.startswith(
        b"ply\nformat binary_little_endian 1.0\ncomment step 3 frame: world\ncomment gr\\xf6\\xdfe\n"
    )
    assert column.astype(np.dtype(dtype).newbyteorder("<")).tobytes() + b"\x03" + bytes(4) in contents
