"""IDR's tracer finds spheres, tori seen edge-on, and the nearest place of rays that miss."""

import torch

from isopts.render.trace import SphereTracingConfig, trace_rays

CONFIG = SphereTracingConfig()


def test_a_ball_is_hit_where_it_is(ball, rays):
    origins, directions, closest = rays
    trace = trace_rays(ball.value, origins, directions, CONFIG)
    hit = closest < ball.radius - 1e-3
    assert trace.hits[hit].all()
    assert not trace.hits[closest > ball.radius + 1e-3].any()
    exact = -(origins * directions).sum(dim=1) - (ball.radius**2 - closest**2).clamp_min(0).sqrt()
    assert (trace.distances - exact)[hit].abs().max() < 2e-3
    values = ball.value(origins + trace.distances[:, None] * directions)
    assert values[hit].abs().max() < 1e-4


def test_a_ray_that_misses_ends_at_the_smallest_value(ball, rays):
    origins, directions, closest = rays
    trace = trace_rays(ball.value, origins, directions, CONFIG)
    missed = (closest > ball.radius + 0.01) & (closest < 0.99)
    assert missed.sum() > 50
    values = ball.value(origins + trace.distances[:, None] * directions)
    assert (values - (closest - ball.radius))[missed].abs().max() < 1e-3


def test_the_front_of_two_balls_is_found_even_if_distances_are_overestimated(rays):
    """A field twice as steep as a distance: steps go through the surface and are halved."""
    origins, directions, _ = rays
    centers = torch.tensor([[0.4, 0, 0], [-0.4, 0, 0]], device=origins.device)

    def value(points):
        return 2 * (torch.cdist(points, centers) - 0.3).amin(dim=1)

    trace = trace_rays(value, origins, directions, CONFIG)
    steps = torch.linspace(0, 5, 5001, device=origins.device)
    points = origins[:200, None] + steps[:, None] * directions[:200, None]
    inside = value(points.view(-1, 3)).view(200, -1) <= 0
    first = torch.where(inside.any(dim=1), steps[inside.int().argmax(dim=1)], torch.inf)
    hit = first.isfinite()
    agree = (trace.distances[:200] - first).abs() < 5e-3
    assert trace.hits[:200][hit].float().mean() > 0.97
    assert agree[hit & trace.hits[:200]].float().mean() > 0.97
    assert not trace.hits[:200][~hit].any()


def test_rays_beside_the_unit_sphere_and_behind_the_camera(ball, device):
    origins = torch.tensor([[0.0, 2.0, -3.0], [0.0, 0.0, 3.0]], device=device)
    directions = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]], device=device)
    trace = trace_rays(ball.value, origins, directions, CONFIG)
    assert not trace.hits.any()
    assert trace.distances.isfinite().all()
    assert len(trace_rays(ball.value, origins[:0], directions[:0], CONFIG).hits) == 0
