"""A cut mesh: where it ends, what it is made of, and that its borders are simple curves."""

import numpy as np
import pytest
import trimesh

from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.mesh.cut import cut_at_zero


def sphere() -> TriangleMesh:
    ball = trimesh.creation.icosphere(subdivisions=4)
    colors = np.where(ball.vertices[:, 2:] > 0.3, 200, 100).repeat(3, axis=1).astype(np.uint8)
    return TriangleMesh(ball.vertices, ball.faces, ball.vertices.astype(np.float32), colors)


def border(mesh: TriangleMesh) -> np.ndarray:
    """(E, 2) directed edges that are in one face only."""
    edges = mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    present = {(start, end) for start, end in edges.tolist()}
    assert len(present) == len(edges)
    return np.array([(start, end) for start, end in sorted(present) if (end, start) not in present]).reshape(-1, 2)


def assert_border_is_simple(mesh: TriangleMesh) -> None:
    start, end = border(mesh).T
    assert len(np.unique(start)) == len(start)
    np.testing.assert_array_equal(np.sort(start), np.sort(end))


def test_a_sphere_cut_by_a_plane_is_a_cap() -> None:
    mesh = sphere()
    cap = cut_at_zero(mesh, 0.3 - mesh.vertices[:, 2])
    assert cap.face_areas().sum() == pytest.approx(2 * np.pi * 0.7, rel=0.01)
    assert np.einsum("ij,ij->i", cap.face_normals(), cap.vertices[cap.faces].mean(axis=1)).min() > 0.9
    rim = cap.vertices[np.unique(border(cap))]
    assert np.abs(rim[:, 2] - 0.3).max() < 0.05 * 0.08  # a twentieth of an edge
    assert np.einsum("ij,ij->i", cap.normals, cap.vertices).min() > 0.99
    np.testing.assert_allclose(np.linalg.norm(cap.normals, axis=1), 1, atol=1e-6)
    assert set(np.unique(cap.colors)) - set(range(99, 201)) == set()
    assert_border_is_simple(cap)


def test_both_parts_make_the_whole() -> None:
    mesh = sphere()
    values = mesh.vertices @ [0.3, -0.5, 0.8] + 0.01
    parts = [cut_at_zero(mesh, values), cut_at_zero(mesh, -values)]
    assert sum(part.face_areas().sum() for part in parts) == pytest.approx(mesh.face_areas().sum(), rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_any_function_leaves_simple_borders_and_no_slivers(seed: int) -> None:
    mesh = sphere()
    generator = np.random.default_rng(seed)
    values = generator.normal(size=len(mesh.vertices))
    values[generator.random(len(values)) < 0.3] = 0
    part = cut_at_zero(mesh, values)
    assert_border_is_simple(part)
    assert part.face_areas().min() > 0.04**2 * mesh.face_areas().min()
    assert len(np.unique(part.faces)) == len(part.vertices)


def test_all_or_nothing() -> None:
    mesh = sphere()
    whole, nothing = (cut_at_zero(mesh, np.full(len(mesh.vertices), value)) for value in (-1.0, 0.0))
    np.testing.assert_array_equal(whole.faces, mesh.faces)
    np.testing.assert_array_equal(whole.vertices, mesh.vertices)
    assert (len(nothing.faces), len(nothing.vertices)) == (0, 0)
