"""Iso-points of a ball that known cameras see."""

import pytest
import torch
from torch.nn import functional

from isopts.fit.views.config import IsopointsConfig
from isopts.fit.views.surfels import Surfels, depth_views, refresh_surfels
from isopts.isopoints.extract import IsoPointsConfig
from isopts.render.sampled_field import sample_field

RADIUS = 2 / 3
CONFIG = IsopointsConfig(count=800, extraction=IsoPointsConfig(cell_resolution=24))


def ball_field(points):
    return points.norm(dim=1) - RADIUS, functional.normalize(points, dim=1)


def nothing(points):
    return torch.ones(len(points)), functional.normalize(points, dim=1)


def refreshed(prepared, previous=None, concentrated=False, config=CONFIG, field=ball_field):
    generator = torch.Generator().manual_seed(0)
    grid = sample_field(lambda points: field(points)[0], 64, "cpu")
    return refresh_surfels(field, depth_views(prepared.cameras), config, previous, concentrated, grid, generator)


@pytest.fixture(scope="module")
def first(prepared_ball):
    return refreshed(prepared_ball)


def test_each_view_sees_its_half_as_squarely_as_geometry_says(prepared_ball, first):
    assert (len(first.points), first.uniform) == (800, 800)
    torch.testing.assert_close(first.points.norm(dim=1), torch.full((800,), RADIUS), atol=1e-4, rtol=0)
    toward = functional.normalize(prepared_ball.cameras.centers() - first.points[:, None], dim=2)
    exact = torch.einsum("nvi,ni->nv", toward, first.points / RADIUS)
    assert first.cosines.shape == exact.shape
    seen = first.cosines > 0
    torch.testing.assert_close(first.cosines[seen], exact[seen], atol=2e-3, rtol=0)
    assert exact[seen].min() > CONFIG.visible_cosine - 2e-3
    assert seen[exact > CONFIG.visible_cosine + 2e-3].float().mean() > 0.98
    assert first.errors.tolist() == [0.0] * 800


def test_what_is_behind_something_is_not_seen(prepared_ball):
    """A second, small ball behind a large one, as the first camera sees it."""
    center = prepared_ball.cameras.centers()[0]
    behind = -0.75 * functional.normalize(center, dim=0)

    def two_balls(points):
        large, small = points.norm(dim=1) - 0.5, (points - behind).norm(dim=1) - 0.15
        gradients = torch.where(
            (large < small)[:, None], functional.normalize(points, dim=1), functional.normalize(points - behind, dim=1)
        )
        return torch.minimum(large, small), gradients

    found = refreshed(prepared_ball, field=two_balls)
    small = (found.points - behind).norm(dim=1) < 0.2
    assert small.sum() > 20
    assert (found.cosines[small, 0] > 0).float().mean() < 0.05
    assert (found.cosines[small] > 0).any(dim=1).float().mean() > 0.9  # some are in the gap between the balls


def test_walls_closer_than_the_points_hide_each_other(prepared_ball):
    """Two plates, 0.12 apart, of points whose depth test tolerates more than that."""
    gap, half = 0.12, torch.tensor([0.5, 0.5, 0.05])
    middle = gap / 2 + float(half[2])

    def plates(points):
        with torch.enable_grad():
            points = points.clone().requires_grad_(True)
            mirrored = torch.cat((points[:, :2].abs(), (points[:, 2:].abs() - middle).abs()), dim=1)
            distances = mirrored - half
            values = distances.clamp_min(0).norm(dim=1) + distances.amax(dim=1).clamp_max(0)
            return values.detach(), torch.autograd.grad(values.sum(), points)[0]

    found = refreshed(prepared_ball, field=plates)
    facing = (found.points[:, 2].abs() < 0.07) & (found.points[:, :2].abs().amax(dim=1) < 0.4)
    assert facing.sum() > 150
    rows, views = torch.nonzero(found.cosines[facing] > 0).unbind(1)
    points = found.points[facing][rows]
    directions = functional.normalize(prepared_ball.cameras.centers()[views] - points, dim=1)
    opposite = points + gap / directions[:, 2:].abs() * directions
    assert len(points) > 20
    assert (opposite[:, :2].abs().amax(dim=1) > 0.47).all()


def test_errors_come_from_the_nearest_surfel_before(prepared_ball, first):
    before = first._replace(errors=(first.points[:, 0] > 0).float())
    again = refreshed(prepared_ball, before)
    assert (len(again.points), again.uniform) == (800, 800)
    clear = again.points[:, 0].abs() > 0.1  # more than the surfels are apart
    assert torch.equal(again.errors[clear], (again.points[clear, 0] > 0).float())


def test_there_are_more_points_where_colours_fit_badly(prepared_ball, first):
    bad = functional.normalize(torch.tensor([1.0, 2, -1]), dim=0)
    near = (first.points / RADIUS @ bad) > 0.9
    found = refreshed(prepared_ball, first._replace(errors=near.float()), concentrated=True)
    assert found.uniform == 800
    more = found.points[800:]
    assert 50 < len(more) <= 800
    assert all(len(part) == len(found.points) for part in found[:4])
    assert ((more / RADIUS @ bad) > 0.7).all()  # two spacings and a half beside those
    torch.testing.assert_close(more.norm(dim=1), torch.full((len(more),), RADIUS), atol=1e-3, rtol=0)
    torch.testing.assert_close(found.normals[800:], more / RADIUS, atol=1e-2, rtol=0)
    assert found.errors[800:].mean() > 0.5
    assert (found.cosines[800:] > 0).any(dim=1).all()


def test_points_are_evenly_spread_again_after_they_were_concentrated(prepared_ball, first):
    near = first.points[:, 2] > 0.6
    dense = refreshed(prepared_ball, first._replace(errors=near.float()), concentrated=True)
    assert len(dense.points) > 850
    again = refreshed(prepared_ball, dense)
    assert len(again.points) == 800
    share = (again.points[:, 2] > 0.6).float().mean()
    assert share == pytest.approx((RADIUS - 0.6) / (2 * RADIUS), abs=0.015)  # Archimedes


def test_curvature_calls_for_points_too(prepared_ball):
    config = CONFIG.model_copy(update={"importance": "curvature", "count": 400})
    radii = torch.tensor([0.8, 0.35, 0.35])

    def cigar(points):
        scaled = points / radii
        gradient = scaled / radii
        length = gradient.norm(dim=1).clamp_min(1e-6)
        return (scaled.square().sum(dim=1) - 1) / (2 * length), functional.normalize(gradient, dim=1)

    found = refreshed(prepared_ball, concentrated=True, config=config, field=cigar)
    assert len(found.points) > 410
    assert (found.points[found.uniform :, 0].abs() > 0.5).all()  # at the tips


def test_a_field_without_surface_has_no_surfels(prepared_ball, first):
    assert refreshed(prepared_ball, field=nothing) is None
    assert refreshed(prepared_ball, first, field=nothing) is None


def test_depth_maps_are_small_and_keep_the_proportions(prepared_ball):
    cameras = prepared_ball.cameras
    large = cameras.resized(cameras.sizes * 20)
    views = depth_views(large)
    assert views.sizes.tolist() == [[160, 120]] * len(cameras)
    pixels, _ = large.project(torch.zeros((1, 3)))
    u, v, z = views.projections[:, :, 3].unbind(1)
    torch.testing.assert_close((u / z + 0.5) / 160, (pixels[:, 0, 0] + 0.5) / 960)
    torch.testing.assert_close((v / z + 0.5) / 120, (pixels[:, 0, 1] + 0.5) / 720)
    assert isinstance(refreshed(prepared_ball), Surfels)
