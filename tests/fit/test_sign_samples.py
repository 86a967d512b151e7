"""Samples away from the scan know their side and distance."""

import torch
from torch.nn import functional

from isopts.fit.prepared_cloud import PreparedCloud
from isopts.fit.sign_samples import draw_sign_samples
from isopts.geometry.frames import WorldToUnit


def sphere_cloud(flipped=0.0, count=20_000):
    generator = torch.Generator().manual_seed(0)
    normals = functional.normalize(torch.randn(count, 3, generator=generator), dim=1)
    signs = torch.where(torch.rand(count, 1, generator=generator) < flipped, -1.0, 1.0)
    areas = torch.full((count,), 4 * torch.pi * 0.25 / count)
    return PreparedCloud(0.5 * normals, signs * normals, areas, 0.0, float(areas[0].sqrt()), WorldToUnit((0, 0, 0), 1))


def draw(cloud, count=20_000):
    return draw_sign_samples(cloud, count, torch.Generator().manual_seed(1))


def test_side_distance_and_confidence_of_a_sphere():
    samples = draw(sphere_cloud())
    heights = samples.points.norm(dim=1) - 0.5
    assert torch.equal(samples.signs, heights.sign())
    torch.testing.assert_close(samples.distances, heights.abs(), atol=0.01, rtol=0)
    assert samples.confidences.min() > 0.5
    assert samples.confidences.max() <= 1
    assert heights.abs().min() > 0.015
    assert 5_000 < len(samples.points) < 20_000


def test_a_quarter_of_flipped_normals_only_costs_confidence():
    samples = draw(sphere_cloud(flipped=0.25))
    outside = samples.points.norm(dim=1) > 0.5
    inside_winding = 0.5  # three quarters minus one quarter
    assert (samples.signs[outside] == 1).all()
    assert samples.confidences[~outside].mean() < 2 * abs(inside_winding - 0.5) + 0.1


def test_the_same_generator_draws_the_same_samples():
    first, second = draw(sphere_cloud()), draw(sphere_cloud())
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
