from pathlib import Path

import numpy as np
import pytest
from plyfile import PlyData

from isopts.data.meshes import MESH_FORMATS, read_mesh, write_mesh
from isopts.errors import InputError
from isopts.geometry.triangle_mesh import TriangleMesh


def octahedron(offset: float = 0.0) -> TriangleMesh:
    corners = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, 0, 0], [0, -1, 0], [0, 0, -1]]) / 3.0
    faces = [[0, 1, 2], [1, 3, 2], [3, 4, 2], [4, 0, 2], [1, 0, 5], [3, 1, 5], [4, 3, 5], [0, 4, 5]]
    colors = np.arange(18, dtype=np.uint8).reshape(6, 3)
    return TriangleMesh(corners + offset, np.array(faces), (3 * corners).astype(np.float32), colors)


@pytest.mark.parametrize("suffix", MESH_FORMATS)
def test_every_format_gives_back_the_surface(tmp_path: Path, suffix: str) -> None:
    mesh = octahedron()
    write_mesh(tmp_path / f"mesh{suffix}", mesh)
    again = read_mesh(tmp_path / f"mesh{suffix}", needs_faces=True)
    assert len(again.vertices) == 6
    corners = mesh.vertices[mesh.faces]
    np.testing.assert_allclose(again.vertices[again.faces], corners, atol=1e-7)
    assert again.volume() == pytest.approx(mesh.volume(), rel=1e-6)
    assert mesh.volume() > 0


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".glb", ".off"])
def test_a_geo_referenced_offset_survives(tmp_path: Path, suffix: str) -> None:
    mesh = octahedron(offset=5.4e6)
    write_mesh(tmp_path / f"mesh{suffix}", mesh)
    again = read_mesh(tmp_path / f"mesh{suffix}")
    np.testing.assert_allclose(again.vertices[again.faces], mesh.vertices[mesh.faces], rtol=0, atol=1e-6)


@pytest.mark.parametrize("suffix", [".ply", ".obj", ".glb", ".off", ".stl"])
def test_a_small_object_keeps_its_digits(tmp_path: Path, suffix: str) -> None:
    mesh = octahedron()
    write_mesh(tmp_path / f"mesh{suffix}", TriangleMesh(1e-8 * mesh.vertices, mesh.faces, mesh.normals))
    again = read_mesh(tmp_path / f"mesh{suffix}")
    np.testing.assert_allclose(1e8 * again.vertices[again.faces], mesh.vertices[mesh.faces], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "white", "grey"), [("float", "1", "0.5"), ("ushort", "65535", "32896"), ("uchar", "255", "128")]
)
def test_colours_of_other_types_become_bytes(tmp_path: Path, kind: str, white: str, grey: str) -> None:
    names = "".join(f"property float {axis}\n" for axis in "xyz") + "".join(
        f"property {kind} {color}\n" for color in ("red", "green", "blue")
    )
    head = f"ply\nformat ascii 1.0\nelement vertex 2\n{names}end_header\n"
    (tmp_path / "a.ply").write_text(head + f"0 0 0 {white} 0 {grey}\n1 0 0 0 {white} {grey}\n")
    np.testing.assert_array_equal(read_mesh(tmp_path / "a.ply").colors, [[255, 0, 128], [0, 255, 128]])


def test_stl_says_that_it_moves_vertices(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_mesh(tmp_path / "near.stl", octahedron())
    assert not caplog.records
    write_mesh(tmp_path / "far.stl", octahedron(offset=5.4e6))
    assert "single precision" in caplog.text


def test_ply_keeps_normals_colours_comment_and_the_smaller_type(tmp_path: Path) -> None:
    mesh = octahedron()
    write_mesh(tmp_path / "mesh.ply", mesh, comment="frame: world\nstep: 600")
    ply = PlyData.read(tmp_path / "mesh.ply")
    assert ply.comments == ["frame: world", "step: 600"]
    assert ply["vertex"].data.dtype["x"] == np.float32
    again = read_mesh(tmp_path / "mesh.ply")
    np.testing.assert_array_equal(again.normals, mesh.normals)
    np.testing.assert_array_equal(again.colors, mesh.colors)
    np.testing.assert_array_equal(again.faces, mesh.faces)


def test_polygons_become_fans_and_clouds_have_no_faces(tmp_path: Path) -> None:
    square_and_triangle = "4 0 1 2 3\n3 0 2 4\n2 0 1\n"
    header = "ply\nformat ascii 1.0\nelement vertex 5\nproperty float x\nproperty float y\nproperty float z\n"
    points = "0 0 0\n1 0 0\n1 1 0\n0 1 0\n0 0 1\n"
    polygons = tmp_path / "polygons.ply"
    polygons.write_text(
        header + "element face 3\nproperty list uchar int vertex_index\nend_header\n" + points + square_and_triangle
    )
    mesh = read_mesh(polygons)
    assert sorted(map(tuple, mesh.faces.tolist())) == [(0, 1, 2), (0, 2, 3), (0, 2, 4)]
    assert mesh.face_areas().sum() == pytest.approx(1 + 2**0.5 / 2)
    cloud = tmp_path / "cloud.ply"
    cloud.write_text(header + "end_header\n" + points)
    (tmp_path / "cloud.obj").write_text("".join(f"v {line}\n" for line in points.splitlines()))
    (tmp_path / "cloud.off").write_text("OFF\n5 0 0\n" + points)
    for suffix in ("ply", "obj", "off"):
        read = read_mesh(tmp_path / f"cloud.{suffix}")
        assert read.faces.shape == (0, 3)
        np.testing.assert_array_equal(read.vertices, mesh.vertices)
    with pytest.raises(InputError, match=r"cloud\.ply' has points but no faces"):
        read_mesh(cloud, needs_faces=True)


def test_corners_that_are_no_list_are_no_faces(tmp_path: Path) -> None:
    path = tmp_path / "cloud.ply"
    header = "ply\nformat ascii 1.0\nelement vertex 1\nproperty int x\nproperty int y\nproperty int z\n"
    path.write_text(header + "element face 1\nproperty int vertex_indices\nend_header\n1 2 3\n0\n")
    mesh = read_mesh(path)
    assert mesh.faces.shape == (0, 3)
    assert mesh.vertices.tolist() == [[1, 2, 3]]


@pytest.mark.parametrize("suffix", MESH_FORMATS)
def test_a_damaged_file_is_an_input_error_or_a_part_of_the_mesh(tmp_path: Path, suffix: str) -> None:
    whole = tmp_path / f"whole{suffix}"
    write_mesh(whole, octahedron())
    content = whole.read_bytes()
    damaged = tmp_path / f"damaged{suffix}"
    refused = 0
    for size in range(0, len(content) - 1, max(1, len(content) // 40)):
        damaged.write_bytes(content[:size])
        try:
            read = read_mesh(damaged)
        except InputError:
            refused += 1
        else:
            assert len(read.vertices) <= 6  # truncated text can be a smaller mesh
    assert refused >= (40 if suffix in (".ply", ".stl", ".glb") else 1)


@pytest.mark.parametrize("suffix", MESH_FORMATS)
def test_a_foreign_file_is_an_input_error(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"foreign{suffix}"
    path.write_bytes(bytes(np.random.default_rng(3).integers(0, 256, 4000, dtype=np.uint8)))
    with pytest.raises(InputError, match="foreign"):
        read_mesh(path)


def test_what_cannot_be_read_or_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.ply' is not a file"):
        read_mesh(tmp_path / "nothing.ply")
    with pytest.raises(InputError, match=r"use one of \.ply, \.obj, \.stl, \.glb, \.off"):
        read_mesh(tmp_path / "mesh.step")
    with pytest.raises(InputError, match="Cannot write"):
        write_mesh(tmp_path / "absent" / "mesh.ply", octahedron())
    wrong = TriangleMesh(np.zeros((3, 3)), np.array([[0, 1, 7]]))
    write_mesh(tmp_path / "wrong.ply", wrong)
    with pytest.raises(InputError, match=r"outside 0 \.\.\. 2"):
        read_mesh(tmp_path / "wrong.ply")
