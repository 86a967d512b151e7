import numpy as np
import trimesh

from isopts.geometry.corner_normals import corner_normals
from isopts.geometry.triangle_mesh import TriangleMesh


def mesh_of(shape: trimesh.Trimesh, normals: np.ndarray | None = None) -> TriangleMesh:
    return TriangleMesh(np.asarray(shape.vertices), np.asarray(shape.faces), normals)


def test_a_box_keeps_its_edges():
    box = mesh_of(trimesh.creation.box((1, 2, 3)))
    np.testing.assert_allclose(corner_normals(box), np.repeat(box.face_normals()[:, None], 3, axis=1), atol=1e-6)


def test_a_ball_is_smooth_far_from_the_origin_too():
    ball = trimesh.creation.icosphere(subdivisions=3)
    mesh = TriangleMesh(np.asarray(ball.vertices) + 5.4e6, np.asarray(ball.faces))
    np.testing.assert_allclose(corner_normals(mesh), np.asarray(ball.vertices)[mesh.faces], atol=0.01)


def test_normals_of_the_file_count_where_they_fit_the_faces():
    ball = trimesh.creation.icosphere(subdivisions=3)
    tilted = np.asarray(ball.vertices) + np.array([0.1, 0, 0])
    tilted = (tilted / np.linalg.norm(tilted, axis=1, keepdims=True)).astype(np.float32)
    np.testing.assert_array_equal(corner_normals(mesh_of(ball, tilted)), tilted[ball.faces])
    inverted = mesh_of(ball, -tilted)
    np.testing.assert_allclose(corner_normals(inverted)[:, 0], inverted.face_normals(), atol=1e-6)


def test_a_face_without_area_has_the_normals_of_its_vertices():
    vertices = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [2, 0, 0]]
    found = corner_normals(TriangleMesh(np.array(vertices), np.array([[0, 1, 2], [0, 1, 3]])))
    np.testing.assert_allclose(found[1], [[0, 0, 1], [0, 0, 1], [0, 0, 0]], atol=1e-7)
