import numpy as np
import pytest

from isopts.data.synthetic import ScanConfig, make_scan, reference_mesh
from isopts.data.synthetic_shapes import SHAPES, flange, sphere, torus, unit_gradients

CLEAN = ScanConfig(points=20_000, noise=0.0, normal_noise=0.0, outliers=0.0)


def euler_number(mesh):
    edges = np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    return len(mesh.vertices) - len(np.unique(edges, axis=0)) + len(mesh.faces)


@pytest.mark.parametrize(("name", "euler"), [("sphere", 2), ("torus", 0), ("flange", -4)])
def test_reference_is_closed_the_right_way_out_and_exact(name, euler):
    mesh = reference_mesh(SHAPES[name], resolution=64)
    half_edges = mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    assert {tuple(edge) for edge in half_edges.tolist()} == {tuple(edge[::-1]) for edge in half_edges.tolist()}
    assert mesh.volume() > 0
    assert euler_number(mesh) == euler
    assert np.abs(SHAPES[name](mesh.vertices)).max() < 1e-12
    assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)
    assert np.ptp(mesh.vertices, axis=0).max() == pytest.approx(1.5, abs=1e-3)


def test_known_areas_and_volumes():
    ball, ring = reference_mesh(sphere, 96), reference_mesh(torus, 96)
    assert ball.volume() == pytest.approx(4 / 3 * np.pi * 0.75**3, rel=1e-3)
    assert ring.face_areas().sum() == pytest.approx(4 * np.pi**2 * 0.5 * 0.25, rel=1e-3)


def test_flange_has_its_nominal_faces():
    on_surface = np.array(
        [[0.2, 0, 0.1], [0, 0.36, 0.1], [0.3, 0, 0.35], [0.56, 0.09, -0.2], [0.65, 0.3, -0.05], [0, 0.5, -0.2]]
    )
    assert np.abs(flange(on_surface)).max() < 1e-12
    assert (flange(np.array([[0, 0, 0], [0.56, 0, -0.2], [0.9, 0, 0]])) > 0).all()
    assert (flange(np.array([[0.28, 0, 0.1], [0.3, 0.3, -0.2]])) < 0).all()


@pytest.mark.parametrize("name", SHAPES)
def test_a_scan_without_errors_is_exact(name):
    cloud = make_scan(SHAPES[name], CLEAN)
    assert cloud.points.shape == (20_000, 3)
    assert np.abs(SHAPES[name](cloud.points)).max() < 1e-12
    assert np.allclose(cloud.normals, unit_gradients(SHAPES[name], cloud.points), atol=1e-6)
    outside = SHAPES[name](cloud.points + 1e-3 * cloud.normals)
    assert np.allclose(outside, 1e-3, atol=1e-4)  # signed distance near the surface


def test_points_are_uniform_in_area():
    heights = make_scan(sphere, CLEAN).points[:, 2]  # Archimedes: uniform between the poles
    counts, _ = np.histogram(heights, bins=10, range=(-0.75, 0.75))
    assert np.abs(counts / 2000 - 1).max() < 0.1


def test_errors_have_the_asked_size():
    config = ScanConfig(points=20_000, noise=0.01, normal_noise=0.1, outliers=0.05, seed=4)
    cloud = make_scan(sphere, config)
    distances = sphere(cloud.points)
    near = np.abs(distances) < 0.05
    assert np.std(distances[near]) == pytest.approx(0.01, rel=0.1)
    assert 0.04 < np.mean(~near) < 0.05  # a few outliers lie near the surface
    assert np.allclose(np.linalg.norm(cloud.normals, axis=1), 1, atol=1e-5)
    cosines = np.sum(cloud.normals * unit_gradients(sphere, cloud.points), axis=1)[near]
    assert np.median(np.arccos(cosines.clip(-1, 1))) == pytest.approx(0.1 * np.sqrt(2 * np.log(2)), rel=0.1)


def test_the_seed_decides():
    config = CLEAN.model_copy(update={"points": 500})
    first, again = make_scan(torus, config), make_scan(torus, config)
    other = make_scan(torus, config.model_copy(update={"seed": 1}))
    assert np.array_equal(first.points, again.points)
    assert not np.array_equal(first.points, other.points)
