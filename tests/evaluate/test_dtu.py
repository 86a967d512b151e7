import dataclasses

import numpy as np
import pytest
from scipy.spatial import cKDTree

from isopts.errors import InputError
from isopts.evaluate.dtu import dtu_points, evaluate_dtu
from isopts.evaluate.dtu_scan import read_dtu_scan
from isopts.geometry.triangle_mesh import TriangleMesh


def joined(*meshes: TriangleMesh) -> TriangleMesh:
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = [mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]
    return TriangleMesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces))


def figures_of(mesh, scan):
    return evaluate_dtu(mesh, scan, 0).figures


@pytest.fixture(scope="module")
def scan(dtu_ball, tmp_path_factory):
    return read_dtu_scan(dtu_ball.write(tmp_path_factory.mktemp("dtu")), 65)


@pytest.mark.parametrize(("radius", "subdivisions"), [(50, 5), (16, 7)])  # edges of 1.9 and 0.15 mm
def test_a_displaced_surface_is_as_far_as_it_was_displaced(dtu_ball, tmp_path, radius, subdivisions):
    large = dataclasses.replace(dtu_ball, radius=radius, spacing=0.3)
    scan = read_dtu_scan(large.write(tmp_path), 65)
    report = evaluate_dtu(large.mesh(radius + 0.5, subdivisions), scan, 0)
    assert report.figures["dtu_data_to_stl"] == pytest.approx(0.5, abs=0.025)
    assert report.figures["dtu_stl_to_data"] == pytest.approx(0.5, abs=0.025)
    mean = (report.figures["dtu_data_to_stl"] + report.figures["dtu_stl_to_data"]) / 2
    assert report.figures["dtu_chamfer"] == pytest.approx(mean)
    assert report.notes == ["DTU's figures are in mm, of scan 65"]


@pytest.mark.parametrize("subdivisions", [2, 3, 7])  # edges of 3, 1.5 and 0.1 mm
def test_points_are_farther_apart_than_0_2_mm_and_leave_no_gap(dtu_ball, scan, subdivisions):
    mesh = dtu_ball.mesh(10, subdivisions)
    points = dtu_points(mesh, scan, np.random.default_rng(0))
    tree = cKDTree(points)
    assert tree.query(points, 2)[0][:, 1].min() > 0.2
    assert tree.query(dtu_ball.points())[0].max() < 0.42


def test_the_seed_decides(dtu_ball, scan):
    mesh = dtu_ball.mesh(10.2, 3)
    first, again, other = (evaluate_dtu(mesh, scan, seed).figures["dtu_chamfer"] for seed in (0, 0, 1))
    assert first == again
    assert first != other
    assert first == pytest.approx(other, rel=0.01)


def test_what_the_scanner_did_not_see_does_not_count(dtu_ball, tmp_path):
    mesh = joined(dtu_ball.mesh(10.5), dtu_ball.mesh(14, 3))  # a shell at 4 mm
    unseen = figures_of(mesh, read_dtu_scan(dtu_ball.write(tmp_path / "all"), 65))
    assert unseen["dtu_data_to_stl"] > 2

    def near_the_ball(points):
        return np.linalg.norm(points - dtu_ball.center, axis=1) < 12

    scan = read_dtu_scan(dtu_ball.write(tmp_path / "near", observed=near_the_ball), 65)
    assert figures_of(mesh, scan)["dtu_data_to_stl"] == pytest.approx(0.5, abs=0.025)
    assert figures_of(mesh, scan)["dtu_stl_to_data"] == unseen["dtu_stl_to_data"]


def test_what_is_outside_of_the_grid_is_not_observed_but_there(dtu_ball, scan):
    beyond = dtu_ball.mesh(10).vertices + np.array([19, 0, 0])  # the grid ends at 20 mm
    cloud = TriangleMesh(beyond, np.zeros((0, 3)))
    assert 0 < scan.is_observed(beyond).sum() < len(beyond)
    assert not scan.is_observed(beyond)[beyond[:, 0] > dtu_ball.center[0] + 21].any()
    near = dtu_ball.center + np.array([[25, 0, 0]])
    figures = figures_of(TriangleMesh(near, np.zeros((0, 3))), scan)
    assert figures["dtu_data_to_stl"] is None
    assert 15 <= figures["dtu_stl_to_data"] < 20
    assert figures["dtu_chamfer"] is None
    assert figures_of(cloud, scan)["dtu_data_to_stl"] is not None


def test_the_table_below_the_plane_does_not_count(dtu_ball, tmp_path):
    x, y, z = dtu_ball.center
    columns, rows = np.mgrid[-15:15:0.3, -15:15:0.3]
    table = np.stack([x + columns, y + rows, np.full_like(rows, z - 14)], axis=-1).reshape(-1, 3)
    below = read_dtu_scan(dtu_ball.write(tmp_path / "below", more=table), 65)  # z > 0: all is above
    above = read_dtu_scan(dtu_ball.write(tmp_path / "above", more=table, plane=(0, 0, 1, -(z - 12))), 65)
    assert figures_of(dtu_ball.mesh(10.5), below)["dtu_stl_to_data"] > 1.5
    assert figures_of(dtu_ball.mesh(10.5), above)["dtu_stl_to_data"] == pytest.approx(0.5, abs=0.025)


def test_distances_of_20_mm_and_more_are_left_out(dtu_ball, tmp_path):
    far = dtu_ball.center + np.array([[0, 0, 31], [0, 0, 32], [0, 0, 29]])
    scan = read_dtu_scan(dtu_ball.write(tmp_path, more=far[:2]), 65)
    ball = dtu_ball.mesh(10.5)
    assert figures_of(ball, scan)["dtu_stl_to_data"] == pytest.approx(0.5, abs=0.025)
    near = read_dtu_scan(dtu_ball.write(tmp_path, more=np.repeat(far[2:], 100_000, axis=0)), 65)
    assert figures_of(ball, near)["dtu_stl_to_data"] > 5
    middle = TriangleMesh(np.array([dtu_ball.center]), np.zeros((0, 3)))
    assert figures_of(middle, scan)["dtu_stl_to_data"] == pytest.approx(10, abs=0.01)


def test_what_is_far_from_the_scan_costs_nothing(dtu_ball, scan):
    wall = 1e6 * np.array([[1.0, 0, 0], [2, 0, 0], [1, 1, 0]])  # 5e17 square millimetres, outside of the box
    mesh = joined(dtu_ball.mesh(10.5), TriangleMesh(wall, np.array([[0, 1, 2]])))
    assert figures_of(mesh, scan) == figures_of(dtu_ball.mesh(10.5), scan)


def test_a_mesh_elsewhere_or_of_another_unit_is_an_error(dtu_ball, scan):
    mesh = dtu_ball.mesh(10, 2)
    with pytest.raises(
        InputError, match=r"Nothing of the mesh is near DTU's scan 65, from 20 -50 580 to 60 -10 620 mm"
    ):
        evaluate_dtu(TriangleMesh(mesh.vertices - dtu_ball.center, mesh.faces), scan, 0)
    wall = np.array(dtu_ball.center) + 1e7 * np.array([[-1.0, -1, 0], [2, -1, 0], [-1, 2, 0]])
    with pytest.raises(InputError, match=r"points at a spacing of 0\.2; expected both in one unit"):
        evaluate_dtu(TriangleMesh(wall, np.array([[0, 1, 2]])), scan, 0)
