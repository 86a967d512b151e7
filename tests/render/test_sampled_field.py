"""The copy of a field is exact near the surface, and rays find the surface in it."""

import torch

from isopts.render.sampled_field import sample_field, trace_sampled


def test_values_near_the_surface_are_the_fields_own(ball, device):
    grid = sample_field(ball.value, 62, device)
    assert grid.shape == (65, 65, 65)
    axis = torch.linspace(-1, 1, 65, device=device)
    exact = ball.value(torch.cartesian_prod(axis, axis, axis)).view(65, 65, 65)
    near = exact.abs() < 0.1
    torch.testing.assert_close(grid[near], exact[near])
    assert (grid - exact).abs().max() < 0.08  # in the middle of the ball, where a distance has a kink
    assert ((grid > 0) == (exact > 0)).all()


def test_only_a_part_of_the_samples_is_asked_for(ball, device):
    asked = []

    def value(points):
        asked.append(len(points))
        return ball.value(points)

    sample_field(value, 128, device)
    assert sum(asked) < 0.25 * 129**3


def test_tracing_hits_the_ball_within_a_fraction_of_a_cell(ball, rays):
    origins, directions, closest = rays
    trace = trace_sampled(sample_field(ball.value, 64, origins.device), origins, directions)
    hit = closest < ball.radius - 0.02
    assert trace.hits[hit].all()
    values = ball.value(origins + trace.distances[:, None] * directions)
    assert values[hit].abs().max() < 1 / 32
    assert values[hit].abs().mean() < 2e-3
    assert trace.distances.isfinite().all()
