"""Surface points move with the field's parameters as the surface itself does."""

import torch

from isopts.render.implicit_points import points_along_normals, points_on_rays, refine_hits


def _ball(points: torch.Tensor, radius: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return points.norm(dim=1) - radius, torch.nn.functional.normalize(points, dim=1)


def _hits(rays, radius: float, inset: float = 0.1):
    origins, directions, closest = rays
    hit = closest < radius - inset
    exact = -(origins * directions).sum(dim=1) - (radius**2 - closest**2).clamp_min(0).sqrt()
    return origins[hit], directions[hit], exact[hit]


def test_newton_steps_along_a_ray_end_on_the_surface(ball, rays):
    origins, directions, exact = _hits(rays, ball.radius)
    distances = refine_hits(ball.value_and_gradient, origins, directions, exact + 0.02, steps=3)
    assert (distances - exact).abs().max() < 1e-4


def test_the_crossing_moves_along_the_ray_as_the_ball_grows(rays):
    origins, directions, exact = _hits(rays, 0.6)
    radius = torch.tensor(0.6, device=origins.device, requires_grad=True)
    on_surface = origins + exact[:, None] * directions
    values, gradients = _ball(on_surface, radius)
    points = points_on_rays(on_surface, directions, on_surface, values, gradients)
    torch.testing.assert_close(points, on_surface, atol=1e-5, rtol=0)
    (speed,) = torch.autograd.grad((points * directions).sum(), radius)
    *_, larger = _hits(rays, 0.601, inset=0.101)
    torch.testing.assert_close(speed, (larger - exact).sum() / 0.001, rtol=0.02, atol=0)


def test_a_ray_beside_the_point_crosses_the_surface_where_it_does_itself(rays):
    origins, directions, exact = _hits(rays, 0.6, inset=0.2)
    on_surface = origins + exact[:, None] * directions
    noise = torch.randn(on_surface.shape, generator=torch.Generator().manual_seed(1)).to(on_surface)
    beside = 0.61 * torch.nn.functional.normalize(on_surface + 0.005 * noise, dim=1)
    values, gradients = _ball(beside, torch.tensor(0.6, device=origins.device))
    places = on_surface + 0.05 * directions
    points = points_on_rays(places, directions, beside, values, gradients)
    assert (points - on_surface).norm(dim=1).max() < 5e-4  # to first order: the points are 0.015 apart at most
    assert (places - beside).norm(dim=1).min() > 0.01


def test_the_nearest_point_moves_along_the_normal(rays):
    origins, directions, exact = _hits(rays, 0.6)
    radius = torch.tensor(0.6, device=origins.device, requires_grad=True)
    beside = 1.02 * (origins + exact[:, None] * directions)
    values, gradients = _ball(beside, radius)
    points = points_along_normals(beside, values, 3 * gradients / 3)
    assert (points.norm(dim=1) - 0.6).abs().max() < 1e-5
    (speed,) = torch.autograd.grad((points * gradients).sum(), radius)
    torch.testing.assert_close(speed, torch.tensor(float(len(points)), device=speed.device))
