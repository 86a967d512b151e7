"""Colours that a fit compares with are those of the surface that is there."""

import math

import pytest
import torch
from torch.nn import functional

from isopts.fit.colors.samples import ColorSampler
from isopts.render.implicit_points import points_on_rays
from isopts.render.sampled_field import sample_field
from isopts.render.trace import SphereTracingConfig

RADIUS = 2 / 3  # of the ball in its unit frame, whose sphere is half as large again


def exact_colors(ball, prepared, points):
    return torch.from_numpy(ball.colors(prepared.frame.to_world(points)))


def seen_from(prepared, points):
    """(N, V) cosines of the views that see points of a ball."""
    toward = functional.normalize(prepared.cameras.centers() - points[:, None], dim=2)
    return torch.einsum("nvi,ni->nv", toward, functional.normalize(points, dim=1)).clamp_min(0)


def sphere_points(count, radius=RADIUS):
    return radius * functional.normalize(torch.randn((count, 3), generator=torch.Generator().manual_seed(3)), dim=1)


@pytest.fixture
def sampler(prepared_ball):
    return ColorSampler(prepared_ball.images, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("sampled", [True, False])
def test_rays_through_the_object_show_the_colour_of_the_surface_they_meet(
    ball, prepared_ball, sampler, sampled, exact_ball
):
    field = exact_ball()
    grid = sample_field(field.value, 32, "cpu") if sampled else None
    samples, missed = sampler.from_rays(2000, field, grid, SphereTracingConfig())
    assert len(samples.places) + len(missed) == 2000
    assert samples.counts.all()
    heights = (samples.places.norm(dim=1) - RADIUS).abs()
    assert heights.max() < 2e-3  # of a ray that grazes the ball
    torch.testing.assert_close(samples.directions.norm(dim=1), torch.ones(len(samples.places)))
    cosines = -(samples.directions * samples.places).sum(dim=1) / RADIUS
    assert cosines.min() > -0.05
    frontal = cosines > 0.5
    assert frontal.float().mean() > 0.6
    assert heights[frontal].max() < 1e-4
    errors = (samples.expected - exact_colors(ball, prepared_ball, samples.places)).abs()[frontal]
    assert errors.max() < 0.01  # rounding of bytes, the flat faces of the photographed mesh


def test_missed_rays_end_where_they_come_nearest(prepared_ball, sampler, exact_ball):
    field = exact_ball(0.5)
    grid = sample_field(field.value, 32, "cpu")
    for copy, tolerance in ((grid, 0.05), (None, 0.02)):
        samples, missed = sampler.from_rays(1000, field, copy, SphereTracingConfig())
        assert len(missed) == 1000 - len(samples.places)
        assert 0.2 < len(missed) / 1000 < 0.7
        assert missed.norm(dim=1).min() > 0.49
        assert missed.norm(dim=1).max() < RADIUS + tolerance


def test_no_rays_are_no_samples(sampler, exact_ball):
    for grid in (sample_field(exact_ball().value, 16, "cpu"), None):
        samples, missed = sampler.from_rays(0, exact_ball(), grid, SphereTracingConfig())
        assert [len(part) for part in (*samples, missed)] == [0] * 6


def test_surfels_have_their_own_colour_in_every_view_that_sees_them(ball, prepared_ball, sampler):
    points = sphere_points(3000)
    cosines = seen_from(prepared_ball, points)
    samples, off_object = sampler.from_surfels(points, cosines * (cosines > 0.5))
    aside = (samples.places - points).norm(dim=1)
    assert 0.2 * prepared_ball.pixel < aside.mean() < 0.6 * prepared_ball.pixel
    assert samples.counts.float().mean() > 0.9
    assert not off_object.any()
    values, gradients = points.norm(dim=1) - RADIUS, points / RADIUS
    crossings = points_on_rays(samples.places, samples.directions, points, values, gradients)
    errors = (samples.expected - exact_colors(ball, prepared_ball, crossings)).abs()[samples.counts]
    assert errors.mean() < 0.006
    assert errors.quantile(0.99) < 0.02
    through = functional.normalize(points - prepared_ball.cameras.centers()[samples.views], dim=1)
    assert -(through * points).sum(dim=1)[samples.counts].min() / RADIUS > 0.5 - 1e-5
    assert (samples.directions - through).norm(dim=1).max() < prepared_ball.pixel


def test_each_view_that_sees_a_surfel_is_drawn(prepared_ball, sampler):
    point = sphere_points(1)
    seen = seen_from(prepared_ball, point)[0] > 0.2
    samples, _ = sampler.from_surfels(point.repeat(800, 1), (seen * 0.5).expand(800, -1))
    directions = functional.normalize(point - prepared_ball.cameras.centers(), dim=1)
    views = (samples.directions @ directions.T).argmax(dim=1)
    counts = torch.bincount(views, minlength=len(seen))
    assert counts[~seen].sum() == 0
    expected = 800 / int(seen.sum())
    assert (counts[seen] - expected).abs().max() < 5 * math.sqrt(expected)


def test_surfels_off_the_object_are_in_free_space_and_unseen_ones_are_nowhere(prepared_ball, sampler):
    points = sphere_points(500, radius=0.95)
    rims = seen_from(prepared_ball, points) * (prepared_ball.cameras.project(points)[0].norm(dim=2).T >= 0)
    cosines = torch.where((rims > 0.05) & (rims < 0.3), rims, 0.0)  # beside the ball, as these views see them
    samples, off_object = sampler.from_surfels(points, cosines)
    seen = (cosines > 0).any(dim=1)
    assert not ((samples.counts | off_object) & ~seen).any()
    assert not (samples.counts & off_object).any()
    pixels = prepared_ball.cameras.project(points)[0][samples.views, torch.arange(500)]
    sizes = prepared_ball.cameras.sizes[samples.views]
    in_image = seen & ((pixels > -0.5) & (pixels < sizes - 0.5)).all(dim=1)
    beside = (points + (-(samples.directions * points).sum(dim=1, keepdim=True)) * samples.directions).norm(dim=1)
    assert beside[off_object].min() > RADIUS - prepared_ball.pixel
    assert off_object[in_image].float().mean() > 0.9
    assert not off_object[~in_image].any()


def test_no_rays_are_drawn_of_a_view_that_is_left_out(sampler, exact_ball):
    grid = sample_field(exact_ball().value, 32, "cpu")
    sampler.leave_out(5)
    samples, _ = sampler.from_rays(600, exact_ball(), grid, SphereTracingConfig())
    assert sorted(samples.views.unique().tolist()) == [view for view in range(12) if view != 5]
    sampler.leave_out(11)
    sampler.leave_out(0)
    samples, _ = sampler.from_rays(600, exact_ball(), grid, SphereTracingConfig())
    assert sorted(samples.views.unique().tolist()) == [1, 2, 3, 4, 6, 7, 8, 9, 10]


def test_rays_are_drawn_of_every_pixel_on_the_object_and_no_other(prepared_ball, exact_ball):
    """Even where one view is left of all, and its neighbours' outlines are next to it in the buffer."""
    sampler = ColorSampler(prepared_ball.images, torch.Generator().manual_seed(0))
    for view in range(12):
        if view != 4:
            sampler.leave_out(view)
    grid = sample_field(exact_ball(0.9).value, 32, "cpu")  # is met by every ray
    samples, missed = sampler.from_rays(20_000, exact_ball(0.9), grid, SphereTracingConfig())
    assert len(missed) == 0
    pixels, _ = prepared_ball.cameras.select([4]).project(samples.places)
    drawn = torch.zeros((36, 48), dtype=torch.bool)
    column, row = (pixels[0] + 0.5).long().unbind(1)
    drawn[row, column] = True
    assert torch.equal(drawn, prepared_ball.images.masks.view(12, 36, 48)[4])
