"""Samples away from the scan know their side and distance."""

import math

import torch
from torch.nn import functional

from isopts.fit.clouds.prepared_cloud import PreparedCloud
from isopts.fit.clouds.sign_samples import draw_sign_samples
from isopts.geometry.frames import WorldToUnit


def sphere_cloud(flipped=0.0, count=20_000):
    generator = torch.Generator().manual_seed(0)
    normals = functional.normalize(torch.randn(count, 3, generator=generator), dim=1)
    signs = torch.where(torch.rand(count, 1, generator=generator) < flipped, -1.0, 1.0)
    spacing = math.sqrt(4 * math.pi * 0.25 / count)
    return PreparedCloud(0.5 * normals, signs * normals, 0.0, spacing, WorldToUnit((0, 0, 0), 1))


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


def test_a_third_of_flipped_normals_changes_no_side():
    samples = draw(sphere_cloud(flipped=0.33))
    heights = samples.points.norm(dim=1) - 0.5
    assert (samples.signs == heights.sign()).float().mean() > 0.999
    assert samples.confidences.median() > 0.8


def test_a_sparse_noisy_cavity_stays_empty():
    generator = torch.Generator().manual_seed(2)
    directions = functional.normalize(torch.randn(31_000, 3, generator=generator), dim=1)
    outer = (torch.arange(31_000) < 30_000)[:, None]  # 30 times the points on 4 times the area
    points = torch.where(outer, 0.7, 0.35) * directions
    points = points + 0.015 * torch.randn(points.shape, generator=generator)
    spacing = math.sqrt(4 * math.pi * 0.49 / 31_000)  # what it is on average
    normals = torch.where(outer, directions, -directions)
    cloud = PreparedCloud(points, normals, 0.015, spacing, WorldToUnit((0, 0, 0), 1))
    samples = draw(cloud)
    radius = samples.points.norm(dim=1)
    assert (samples.signs[radius < 0.3] == 1).float().mean() > 0.99
    assert (samples.signs[(radius > 0.4) & (radius < 0.65)] == -1).float().mean() > 0.99
    assert (samples.signs[radius > 0.75] == 1).all()


def test_the_same_generator_draws_the_same_samples():
    first, second = draw(sphere_cloud()), draw(sphere_cloud())
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
