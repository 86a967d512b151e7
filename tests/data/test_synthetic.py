import numpy as np
import pytest
from scipy.spatial import cKDTree

from isopts.data.synthetic import ScanConfig, make_scan, reference_mesh, scan_mesh
from isopts.data.synthetic_shapes import SHAPES, flange, skull, sphere, torus, unit_gradients
from isopts.geometry.triangle_mesh import TriangleMesh

CLEAN = ScanConfig(points=20_000, noise=0.0, normal_noise=0.0, outliers=0.0)


def euler_number(mesh):
    edges = np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    return len(mesh.vertices) - len(np.unique(edges, axis=0)) + len(mesh.faces)


@pytest.fixture(scope="module")
def meshes():
    return {name: reference_mesh(shape, resolution=80) for name, shape in SHAPES.items()}


GENUS = {"angel": 1, "bracket": 3, "compressor": 13, "flange": 3, "skull": 4, "sphere": 0, "torus": 1, "vase": 0}


@pytest.mark.parametrize("name", SHAPES)
def test_reference_is_closed_the_right_way_out_and_exact(name, meshes):
    mesh = meshes[name]
    assert mesh.is_closed()
    assert mesh.volume() > 0
    assert euler_number(mesh) == 2 - 2 * GENUS[name]
    assert np.abs(SHAPES[name](mesh.vertices)).max() < 1e-6
    assert np.allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)
    assert np.ptp(mesh.vertices, axis=0).max() == pytest.approx(1.5, abs=3e-3)
    assert np.abs(mesh.vertices).max() < 0.752


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


def test_skull_has_its_cavities_and_what_is_between_them():
    sockets = np.array([[0.15, 0.33, 0.02], [-0.15, 0.33, 0.02], [0.19, 0.55, 0.03]])
    nose = np.array([[0.06, 0.38, -0.16], [-0.06, 0.38, -0.16]])
    beside_the_temple, under_the_cheekbone = np.array([[0.36, 0.2, -0.12], [-0.22, 0.52, -0.26]])
    mouth = np.array([[0, 0.25, -0.5], [0, 0.1, -0.5]])
    empty = np.concatenate([sockets, nose, [beside_the_temple, under_the_cheekbone], mouth])
    septum, nasal_bone, arch = [0, 0.42, -0.12], [0, 0.58, 0.06], [0.46, 0.2, -0.13]
    teeth, ramus, brain = [0.19, 0.4, -0.4], [-0.335, 0.1, -0.4], [0, 0, 0.3]
    assert (skull(empty) > 0.01).all()
    assert (skull(np.array([septum, nasal_bone, arch, teeth, ramus, brain])) < -0.015).all()


def test_skull_is_symmetric_but_for_one_seam_and_never_steep():
    anywhere = np.random.default_rng(0).uniform(-0.8, 0.8, size=(20_000, 3))
    values, mirrored = skull(anywhere), skull(anywhere * [-1, 1, 1])
    assert np.abs(values - mirrored).max() < 0.02
    apart = np.abs(values - mirrored) > 1e-3
    assert 0 < apart.mean() < 0.2
    assert anywhere[apart, 1].max() < 0.25  # behind the crossing seam
    assert np.array_equal(values, skull(anywhere))
    moved = anywhere + 1e-5 * np.random.default_rng(1).normal(size=anywhere.shape)
    slopes = np.abs(skull(moved) - values) / np.linalg.norm(moved - anywhere, axis=1)
    assert slopes.max() < 2.1
    assert np.mean(slopes > 1.05) < 0.01


@pytest.mark.parametrize("name", SHAPES)
def test_a_scan_without_errors_is_exact(name, meshes):
    shape = SHAPES[name]
    cloud = make_scan(shape, CLEAN, meshes[name])
    assert cloud.points.shape == (20_000, 3)
    assert np.abs(shape(cloud.points)).max() < 1e-6
    assert np.quantile(np.abs(shape(cloud.points)), 0.99) < 1e-12
    assert np.allclose(cloud.normals, unit_gradients(shape, cloud.points), atol=1e-6)
    slope = np.median(shape(cloud.points + 1e-4 * cloud.normals)) / 1e-4
    assert 1 / 3 < slope < 1 if name == "angel" else slope == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("name", SHAPES)
def test_the_formula_is_hardly_more_than_the_distance(name, meshes):
    cloud = make_scan(SHAPES[name], CLEAN, meshes[name]).points
    anywhere = np.random.default_rng(1).uniform(-0.8, 0.8, size=(2000, 3))
    distances, _ = cKDTree(cloud).query(anywhere)
    assert np.max(np.abs(SHAPES[name](anywhere)) / distances) < 1.6  # a ray that advances by a half stays outside


def test_points_are_uniform_in_area(meshes):
    heights = make_scan(sphere, CLEAN, meshes["sphere"]).points[:, 2]  # Archimedes: uniform between the poles
    counts, _ = np.histogram(heights, bins=10, range=(-0.75, 0.75))
    assert np.abs(counts / 2000 - 1).max() < 0.1


def test_errors_have_the_asked_size(meshes):
    config = ScanConfig(points=20_000, noise=0.01, normal_noise=0.1, outliers=0.05, seed=4)
    cloud = make_scan(sphere, config, meshes["sphere"])
    distances = sphere(cloud.points)
    near = np.abs(distances) < 0.05
    assert np.std(distances[near]) == pytest.approx(0.01, rel=0.1)
    assert 0.04 < np.mean(~near) < 0.05  # a few outliers lie near the surface
    assert np.allclose(np.linalg.norm(cloud.normals, axis=1), 1, atol=1e-5)
    cosines = np.sum(cloud.normals * unit_gradients(sphere, cloud.points), axis=1)[near]
    assert np.median(np.arccos(cosines.clip(-1, 1))) == pytest.approx(0.1 * np.sqrt(2 * np.log(2)), rel=0.1)


def test_outliers_fill_the_bounding_box_and_a_little_more(meshes):
    cloud = make_scan(SHAPES["flange"], CLEAN.model_copy(update={"outliers": 0.5}), meshes["flange"])
    outliers = cloud.points[np.abs(flange(cloud.points)) > 1e-9]
    assert len(outliers) == 10_000
    assert np.abs(outliers).max(axis=0) == pytest.approx([0.825, 0.575, 0.425], abs=0.01)
    assert np.mean(outliers, axis=0) == pytest.approx([0, 0, 0], abs=0.02)


def test_the_asked_share_of_normals_is_flipped_or_all_are_missing(meshes):
    cloud = make_scan(sphere, CLEAN.model_copy(update={"flipped": 0.25}), meshes["sphere"])
    assert np.mean(np.sum(cloud.normals * cloud.points, axis=1) < 0) == pytest.approx(0.25, abs=0.01)
    assert make_scan(sphere, CLEAN.model_copy(update={"normals": False}), meshes["sphere"]).normals is None


def test_density_varies_by_the_asked_ratio_along_the_longest_side():
    corners = np.array([[0, 0, 0], [1, 0, 0], [1, 2, 0], [0, 2, 0]])
    plate = TriangleMesh(corners, np.array([[0, 1, 2], [0, 2, 3]]))
    cloud = scan_mesh(plate, CLEAN.model_copy(update={"density": 10.0}))
    assert len(cloud) == 20_000
    counts, _ = np.histogram(cloud.points[:, 1], bins=20, range=(0, 2))
    expected = 10 ** ((np.arange(20) + 0.5) / 20)
    assert np.abs(counts / counts.sum() / (expected / expected.sum()) - 1).max() < 0.15
    assert (cloud.normals == [0, 0, 1]).all()


def test_sharp_edges_are_kept(meshes):
    mesh = meshes["bracket"]
    edge = np.array([[0.75, 0.1, -0.18], [-0.75, -0.4, 0.1], [0.2, 0.4, -0.5]])  # of lip, upright, base
    distances, _ = cKDTree(mesh.vertices).query(edge)
    assert distances.max() < 0.015  # not cut: some vertex on the edge is within a cell
    cosines = np.sum(mesh.face_normals() * unit_gradients(SHAPES["bracket"], mesh.vertices[mesh.faces].mean(1)), axis=1)
    assert np.average(cosines, weights=mesh.face_areas()) > 0.999


def test_the_seed_decides(meshes):
    config = CLEAN.model_copy(update={"points": 500})
    first, again = (make_scan(torus, config, meshes["torus"]) for _ in range(2))
    other = make_scan(torus, config.model_copy(update={"seed": 1}), meshes["torus"])
    assert np.array_equal(first.points, again.points)
    assert not np.array_equal(first.points, other.points)
