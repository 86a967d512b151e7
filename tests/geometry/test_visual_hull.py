import numpy as np
import pytest
import torch

from isopts.geometry.silhouette_maps import silhouette_maps
from isopts.geometry.visual_hull import VisualHull
from isopts.mesh.extract import MeshConfig, extract_mesh


@pytest.mark.parametrize("pixels_max", [100_000, 3000])
def test_the_hull_of_a_ball_is_near_the_ball_and_around_it(ball_in_unit_frame, unit_points, pixels_max):
    cameras, masks = ball_in_unit_frame
    hull = VisualHull(silhouette_maps(masks, pixels_max).seen_by(cameras))
    radius = unit_points.norm(dim=1)
    assert (hull(unit_points)[radius < 0.78] < 0).all()
    assert (hull(unit_points)[radius > 0.95] > 0).all()
    near = unit_points / radius[:, None]
    surface = hull(0.8 * near)
    assert surface.max() < 0.01
    assert surface.mean() == pytest.approx(0, abs=0.003)


def test_its_mesh_is_closed_and_its_normals_point_outward(ball_in_unit_frame):
    cameras, masks = ball_in_unit_frame
    hull = VisualHull(silhouette_maps(masks).seen_by(cameras))
    mesh = extract_mesh(hull, hull.value_and_gradient, MeshConfig(resolution=48))
    assert mesh.is_closed()
    assert 0.79**3 < mesh.volume() / (4 / 3 * np.pi) < 0.84**3
    outward = (mesh.normals * mesh.vertices).sum(axis=1) / np.linalg.norm(mesh.vertices, axis=1)
    assert outward.mean() > 0.95


def test_gradients_are_those_of_the_values(ball_in_unit_frame, unit_points):
    """The distance to a cone has a gradient of length about 1."""
    cameras, masks = ball_in_unit_frame
    hull = VisualHull(silhouette_maps(masks).seen_by(cameras))
    points = 0.8 * torch.nn.functional.normalize(unit_points, dim=1)
    values, gradients = hull.value_and_gradient(points)
    torch.testing.assert_close(values, hull(points))
    lengths = gradients.norm(dim=1)
    assert lengths.median() == pytest.approx(1, abs=0.08)


def test_what_few_views_have_in_their_image_is_outside(ball_in_unit_frame, unit_points):
    cameras, masks = ball_in_unit_frame
    full = [np.ones_like(mask) for mask in masks]
    hull = VisualHull(silhouette_maps(full).seen_by(cameras), unseen=7.0)
    found = hull.distances(5 * unit_points)
    assert (found.distances[found.seen < 8] == 7).all()
    assert (found.distances[found.seen >= 8] < 0).all()
    assert 0 < (found.seen < 8).float().mean() < 1


def test_a_tolerant_hull_survives_an_empty_mask(ball_in_unit_frame, unit_points):
    cameras, masks = ball_in_unit_frame
    masks[3] = np.zeros_like(masks[3])
    masks[3][5, 5] = True
    silhouettes = silhouette_maps(masks).seen_by(cameras)
    inside = unit_points[unit_points.norm(dim=1) < 0.78]
    assert (VisualHull(silhouettes)(inside) > 0).all()
    assert (VisualHull(silhouettes, tolerated=1)(inside) < 0).all()
