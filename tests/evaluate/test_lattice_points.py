import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from isopts.errors import InputError
from isopts.evaluate.lattice_points import lattice_points
from isopts.geometry.triangle_mesh import TriangleMesh


def points_of(vertices, faces, spacing: float) -> np.ndarray:
    return np.concatenate([np.zeros((0, 3)), *lattice_points(TriangleMesh(vertices, faces), spacing)])


def test_a_right_triangle_by_hand():
    points = points_of([[0, 0, 5], [2, 0, 5], [0, 1, 5]], [[0, 1, 2]], 0.5)
    expected = {(0.25, 0.25), (0.75, 0.25), (1.25, 0.25), (0.25, 0.75)}
    assert {tuple(point) for point in points[:, :2]} == expected
    assert (points[:, 2] == 5).all()


def test_one_point_for_every_square_of_the_spacing_and_no_gaps():
    box = trimesh.creation.box((30, 20, 10))
    points = points_of(np.asarray(box.vertices), np.asarray(box.faces), 0.2)
    assert len(points) == pytest.approx(2200 / 0.2**2, rel=0.02)
    on_a_side = np.abs(np.abs(points) - [15, 10, 5]).min(axis=1)
    assert on_a_side.max() < 1e-12
    probe = np.random.default_rng(0).uniform([-15, -10, 5], [15, 10, 5], (5000, 3))
    assert cKDTree(points).query(probe)[0].max() < 0.3


def test_slivers_points_and_small_faces_have_no_lattice():
    vertices = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0.0, 0, 0]])
    assert len(points_of(vertices, [[0, 1, 2], [0, 3, 4], [0, 5, 0]], 0.2)) == 0
    assert len(points_of(vertices, np.zeros((0, 3)), 0.2)) == 0


def test_large_faces_come_in_parts():
    side = 600.0
    mesh = TriangleMesh([[0, 0, 0], [side, 0, 0], [0, side, 0]], [[0, 1, 2]])
    parts = list(lattice_points(mesh, 0.3))
    assert len(parts) > 3
    assert max(map(len, parts)) <= 1 << 20
    assert sum(map(len, parts)) == pytest.approx(side**2 / 2 / 0.3**2, rel=0.01)
    with pytest.raises(InputError, match=r"The mesh, 6e\+12 x 6e\+12 x 0, needs 4e\+26 points"):
        next(lattice_points(TriangleMesh(1e10 * mesh.vertices, mesh.faces), 0.3))
