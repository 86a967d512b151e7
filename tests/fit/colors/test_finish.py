"""Colours of a surface that is finished."""

import math

import pytest
import torch
from torch.nn import functional

from isopts.field.radiance import GridRadiance, RadianceGridConfig
from isopts.fit.colors.exposure import Exposures
from isopts.fit.colors.finish import FinishConfig, FinishedSurface, finish_colors
from isopts.fit.colors.samples import ColorSampler
from isopts.render.sampled_field import sample_field

CONFIG = FinishConfig(samples=1024, pool=4000)


def finished(exact_ball, prepared, steps, config=CONFIG, exposures=None, radius=2 / 3, stop=lambda: False):
    radiance = GridRadiance(
        RadianceGridConfig(levels=3, base_resolution=8, finest_resolution=24, width=16),
        torch.Generator().manual_seed(1),
    )
    field, generator = exact_ball(radius), torch.Generator().manual_seed(0)
    grid = sample_field(field.value, 48, torch.device("cpu"))
    sampler = ColorSampler(prepared.images, generator)
    finish_colors(radiance, FinishedSurface(field, grid), sampler, config, steps, exposures, generator, stop)
    return radiance


@torch.no_grad()
def error(ball, prepared, radiance, gain=1.0):
    """Mean over the ball, each place as seen from straight above it."""
    normals = functional.normalize(torch.randn((500, 3), generator=torch.Generator().manual_seed(3)), dim=1)
    points = 2 / 3 * normals
    colors = radiance(points, normals, -normals, points[:, :0])
    exact = torch.from_numpy(ball.colors(prepared.frame.to_world(points)))
    return float((gain * colors - exact).abs().mean())


def test_the_colours_of_the_surface_are_learned(ball, prepared_ball, exact_ball):
    few, many = (error(ball, prepared_ball, finished(exact_ball, prepared_ball, steps)) for steps in (1, 200))
    assert many < 0.06
    assert many < 0.4 * few


def test_exposures_are_taken_as_they_are(ball, prepared_ball, exact_ball):
    exposures = Exposures(len(prepared_ball.fitted))
    with torch.no_grad():
        exposures.log_gains += math.log(2)
    radiance = finished(exact_ball, prepared_ball, 200, exposures=exposures)
    assert error(ball, prepared_ball, radiance, gain=2) < 0.06
    assert error(ball, prepared_ball, radiance) > 0.1
    assert exposures.log_gains.grad is None


def test_the_same_seed_gives_the_same_colours(prepared_ball, exact_ball):
    first, second = (finished(exact_ball, prepared_ball, 5).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_surface_that_no_pixel_meets_leaves_the_colours_alone(prepared_ball, exact_ball):
    before = finished(exact_ball, prepared_ball, 0, radius=1e-4).state_dict()
    after = finished(exact_ball, prepared_ball, 5, radius=1e-4).state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.mark.parametrize("pool", [1, 7])
def test_few_pixels_are_enough(prepared_ball, pool, exact_ball):
    radiance = finished(exact_ball, prepared_ball, 3, FinishConfig(samples=5, pool=pool))
    assert all(bool(parameter.isfinite().all()) for parameter in radiance.parameters())


def test_it_can_be_stopped(exact_ball, prepared_ball):
    polled = []
    finished(exact_ball, prepared_ball, 100, stop=lambda: polled.append(0) or len(polled) > 3)
    assert len(polled) == 4
