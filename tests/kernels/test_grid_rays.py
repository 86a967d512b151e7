"""The ray march agrees with its definition, and with spheres whose crossings are known."""

import pytest
import torch

from isopts.errors import InputError
from isopts.kernels.grid_rays import march_rays

RADIUS = 0.6


def sphere_grid(device: torch.device, resolution: int = 64) -> torch.Tensor:
    axis = torch.linspace(-1, 1, resolution + 1)
    return (torch.cartesian_prod(axis, axis, axis).norm(dim=1) - RADIUS).view([resolution + 1] * 3).to(device)


def random_rays(count: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """From outside towards points in and around the cube."""
    generator = torch.Generator().manual_seed(0)
    origins = 3 * torch.nn.functional.normalize(torch.randn(count, 3, generator=generator), dim=1)
    targets = 2.4 * torch.rand(count, 3, generator=generator) - 1.2
    directions = torch.nn.functional.normalize(targets - origins, dim=1)
    return origins.to(device), directions.to(device)


@pytest.mark.parametrize("count", [0, 1, 257, 3001])
def test_agrees_with_the_definition(device, count):
    generator = torch.Generator().manual_seed(1)
    grid = 0.15 * torch.randn(9, 9, 9, generator=generator).to(device) + 0.15  # as steep as a distance
    rays = random_rays(count, device)
    found = march_rays(grid, *rays, step_min=0.02)
    expected = march_rays(grid, *rays, step_min=0.02, backend="reference")
    for ours, theirs in zip(found, expected, strict=True):  # rounding may decide about a graze
        same = torch.isclose(ours, theirs, atol=2e-4) | (ours.isinf() & theirs.isinf())
        assert count == 0 or same.float().mean() > 0.99
    if count > 1000:
        assert 0.3 < found.hits.isfinite().float().mean() < 0.99
        assert found.smallest.isinf().any()


def test_a_sphere_is_hit_where_it_is(device):
    origins, directions = random_rays(2000, device)
    found = march_rays(sphere_grid(device), origins, directions)
    middle = -(origins * directions).sum(dim=1)
    closest = (origins + middle[:, None] * directions).norm(dim=1)
    hit = closest < RADIUS - 0.01
    exact = middle - (RADIUS**2 - closest**2).clamp_min(0).sqrt()
    assert found.hits[hit].isfinite().all()
    assert (found.hits[hit] - exact[hit]).abs().max() < 0.02
    assert (found.hits[hit] - exact[hit]).abs().mean() < 1e-3
    assert found.hits[closest > RADIUS + 0.01].isinf().all()
    graze = (closest > RADIUS) & (closest < 0.9)
    assert (found.smallest[graze] - (closest[graze] - RADIUS)).abs().max() < 0.01
    assert (found.nearest[graze] - middle[graze]).abs().max() < 0.25


def test_a_ray_that_starts_inside_hits_at_its_start(device):
    origins = torch.tensor([[0.1, 0.0, 0.0], [0.0, 0.0, -5.0], [2.0, 0.0, 0.0], [0.0, 2.0, 0.0]], device=device)
    directions = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], device=device)
    found = march_rays(sphere_grid(device), origins, directions)
    assert found.hits[0] == 0
    assert found.hits[1] == pytest.approx(5 - RADIUS, abs=2e-3)
    assert found.hits[2:].isinf().all()  # the first looks away from the cube, the second passes beside it
    assert found.smallest[2:].isinf().all()


def test_same_result_for_one_and_two_threads(device):
    rays, threads = random_rays(5000, device), torch.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(march_rays(sphere_grid(device), *rays))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(*pair) for pair in zip(*results, strict=True))


def test_refuses_what_does_not_fit(device):
    rays = random_rays(4, device)
    with pytest.raises(InputError, match=r"grid is \(9, 9, 8\)"):
        march_rays(torch.zeros(9, 9, 8, device=device), *rays)
    with pytest.raises(InputError, match=r"directions is \(3, 3\) torch.float32; expected \(4, 3\)"):
        march_rays(sphere_grid(device), rays[0], rays[1][:3])
    with pytest.raises(InputError, match="step_min is 0"):
        march_rays(sphere_grid(device), *rays, step_min=0)
