"""Rays beside silhouettes, against a ball whose silhouettes they are."""

import torch

from isopts.fit.views.silhouette_rays import silhouette_rays
from isopts.geometry.silhouette_maps import SilhouetteMaps, silhouette_maps


def nearest_to_center(bundle):
    along = -(bundle.origins * bundle.directions).sum(dim=1, keepdim=True)
    return (bundle.origins + along * bundle.directions).norm(dim=1)


def test_outside_rays_pass_the_ball_and_inside_rays_meet_it(ball, prepared_ball):
    rays, radius = prepared_ball.rays, ball.radius * prepared_ball.frame.scale
    for bundle in rays:
        torch.testing.assert_close(bundle.directions.norm(dim=1), torch.ones(len(bundle.directions)))
        centers = prepared_ball.cameras.centers()
        assert torch.cdist(bundle.origins, centers).amin(dim=1).max() < 5e-3
    outside, inside = nearest_to_center(rays.outside), nearest_to_center(rays.inside)
    assert outside.min() > radius - 0.7 * prepared_ball.pixel
    assert inside.max() < radius + 0.7 * prepared_ball.pixel
    assert (outside > radius).float().mean() > 0.98
    assert (inside < radius).float().mean() > 0.98
    assert ((outside - radius) < 2 * prepared_ball.pixel).any()
    assert ((radius - inside) < 2 * prepared_ball.pixel).any()


def test_every_view_has_rays(prepared_ball):
    centers = prepared_ball.cameras.centers()
    for bundle in prepared_ball.rays:
        views = torch.cdist(bundle.origins, centers).argmin(dim=1)
        counts = torch.bincount(views, minlength=len(centers))
        assert counts.min() > 0.5 * counts.float().mean()


def test_rays_of_shrunk_maps_still_tell_the_sides_apart(ball, prepared_ball):
    views = prepared_ball.source
    maps = silhouette_maps((views.mask(view) for view in range(len(views))), pixels_max=500)
    assert maps.factors.min() == 2
    cameras = views.cameras.in_frame(prepared_ball.frame)
    rays = silhouette_rays(maps, cameras, torch.Generator().manual_seed(0))
    radius = ball.radius * prepared_ball.frame.scale
    outside, inside = nearest_to_center(rays.outside), nearest_to_center(rays.inside)
    assert outside.min() > radius - 1.4 * prepared_ball.pixel
    assert inside.max() < radius + 1.4 * prepared_ball.pixel


def test_full_and_empty_masks_have_no_rays(prepared_ball):
    maps = SilhouetteMaps(
        torch.tensor([float("inf")] * 12 + [-float("inf")] * 12),
        torch.tensor([0, 12]),
        torch.tensor([[4, 3], [4, 3]], dtype=torch.int32),
        torch.ones(2, dtype=torch.float64),
    )
    cameras = prepared_ball.source.cameras.select([0, 1]).in_frame(prepared_ball.frame)
    rays = silhouette_rays(maps, cameras, torch.Generator())
    assert [len(bundle.origins) for bundle in rays] == [0, 0]


def test_rays_know_their_views_which_can_be_left_out(prepared_ball):
    centers = prepared_ball.cameras.centers()
    for bundle in prepared_ball.rays.without(5):
        views = torch.cdist(bundle.origins, centers).argmin(dim=1)
        assert torch.equal(views, bundle.views)
        assert sorted(views.unique().tolist()) == [view for view in range(12) if view != 5]
