"""Depths and oriented points from images of a ball, without its masks."""

import numpy as np
import pytest
import torch

from isopts.fit.starts.depth_sweep import neighboring_views, sweep_depths
from isopts.fit.starts.swept_cloud import confirmed_points
from isopts.fit.views.image_stack import image_pyramid
from isopts.kernels.patch_consistency import INVALID


@pytest.fixture(scope="module")
def maps(unmasked_views):
    images = unmasked_views.images
    return sweep_depths(image_pyramid(images, 1)[0], images.cameras, 2, 20)


def ball_of(views, ball):
    """Centre (3,) and radius in the unit frame."""
    center = views.frame.to_unit(np.array([ball.center]))[0]
    return center, ball.radius * views.frame.scale


def test_neighbors_are_near_but_not_next_to_each_other():
    angles = torch.deg2rad(torch.tensor([0.0, 2, 13, 30, 60, 200]))
    centers = 4 * torch.stack([angles.cos(), angles.sin(), torch.zeros(6)], dim=1)
    found = neighboring_views(centers, 3)
    assert found[0].tolist() == [2, 3, -1]
    assert found[5].tolist() == [-1, -1, -1]
    assert neighboring_views(centers[:2]).tolist() == [[-1, -1], [-1, -1]]


def test_good_scores_are_at_the_right_depth(maps, unmasked_views, ball):
    center, radius = ball_of(unmasked_views, ball)
    good = maps.scores > 0.9
    heights = ((maps.points()[good] - center).norm(dim=1) - radius).abs()
    assert good.sum() > 1000
    assert heights.median() < maps.step / 3
    assert bool((maps.distances.isfinite() == (maps.scores > INVALID)).all())


def test_leads_are_distances_along_the_rays(maps):
    points, views = maps.points(), maps.views()
    chosen = torch.nonzero(maps.scores > 0.9)[::50, 0]
    nearer = points[chosen] + 0.1 * torch.nn.functional.normalize(
        maps.cameras.centers()[views[chosen]] - points[chosen]
    )
    leads = maps.leads(nearer)[views[chosen], torch.arange(len(chosen))]
    torch.testing.assert_close(leads, torch.full_like(leads, 0.1), atol=1e-4, rtol=0)
    behind = -maps.cameras.viewing_directions()[:1] * 100 + maps.cameras.centers()[:1]
    assert bool(maps.leads(behind)[0].isnan().all())


def test_confirmed_points_lie_on_the_ball_and_face_outwards(maps, unmasked_views, ball):
    center, radius = ball_of(unmasked_views, ball)
    points, normals = confirmed_points(maps)
    heights = ((points - center).norm(dim=1) - radius).abs()
    assert len(points) > 1000
    assert heights.mean() < 0.05
    outward = torch.nn.functional.normalize(points - center, dim=1)
    assert ((outward * normals).sum(dim=1) > 0.8).float().mean() > 0.9


def test_depths_that_nobody_confirms_are_no_points(maps):
    noise = torch.rand(len(maps.distances), generator=torch.Generator().manual_seed(0))
    points, _ = confirmed_points(maps._replace(distances=maps.distances + noise))
    assert len(points) < 0.3 * len(confirmed_points(maps)[0])
    points, normals = confirmed_points(maps._replace(scores=torch.full_like(maps.scores, INVALID)))
    assert points.shape == normals.shape == (0, 3)
