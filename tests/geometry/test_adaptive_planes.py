import pytest
import torch
from torch.nn import functional

from isopts.geometry.adaptive_planes import adaptive_planes, feet
from isopts.geometry.normals import estimate_normals


def on_sphere(count: int, noise: float, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    normals = functional.normalize(torch.randn((count, 3), generator=generator), dim=1)
    return normals + noise * torch.randn(normals.shape, generator=generator), normals


def mean_degrees(found: torch.Tensor, exact: torch.Tensor) -> float:
    return float(torch.rad2deg((found * exact).sum(dim=1).abs().clamp_max(1).arccos()).mean())


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def test_scale_follows_noise(generator) -> None:
    widths = []
    for noise in (0.0, 0.05):
        points, exact = on_sphere(10_000, noise, generator)
        planes = adaptive_planes(points)
        assert mean_degrees(planes.normals, exact) < (1 if noise == 0 else 6)
        widths.append(float(planes.variances[:, 1].median().sqrt()))
    assert widths[1] > 2 * widths[0]


def test_better_than_any_fixed_neighbourhood_where_noise_differs(generator) -> None:
    points, exact = on_sphere(10_000, 0.0, generator)
    noisy = points[:, :1] > 0
    points = points + 0.05 * noisy * torch.randn(points.shape, generator=generator)
    found = mean_degrees(adaptive_planes(points).normals, exact)
    assert found < min(mean_degrees(estimate_normals(points, k), exact) for k in (16, 48, 128))


def test_walls_nearer_than_the_neighbourhood_do_not_mix(generator) -> None:
    points = 2 * torch.rand((20_000, 3), generator=generator) - 1
    upper = points[:, 2] > 0
    points[:, 2] = torch.where(upper, 0.04, -0.04)
    points = points + 0.006 * torch.randn(points.shape, generator=generator)
    planes = adaptive_planes(points)
    inner = points[:, :2].abs().amax(dim=1) < 0.9
    assert mean_degrees(planes.normals[inner], torch.tensor([[0.0, 0.0, 1.0]])) < 4
    off = feet(points, planes)[inner, 2] - torch.where(upper, 0.04, -0.04)[inner]
    assert float(off.square().mean().sqrt()) < 0.5 * 0.006


def test_an_edge_stays_sharp(generator) -> None:
    along = torch.rand((20_000, 2), generator=generator)
    side = torch.where(torch.arange(20_000) % 2 == 0, -1.0, 1.0)
    points = torch.stack([side * along[:, 0], along[:, 1], -along[:, 0]], dim=1)
    exact = torch.stack([side, torch.zeros_like(side), torch.ones_like(side)], dim=1) / 2**0.5
    points = points + 0.003 * torch.randn(points.shape, generator=generator)
    near = points[:, 0].abs() < 0.03
    errors = [mean_degrees(adaptive_planes(points, rounds).normals[near], exact[near]) for rounds in (0, 1)]
    assert errors[1] < 0.8 * errors[0]


def test_far_coordinates_move_with_the_points(generator) -> None:
    points, _ = on_sphere(500, 0.01, generator)
    near, far = adaptive_planes(points.double()), adaptive_planes(points.double() + torch.tensor([4e5, 5e6, 100.0]))
    cosines = (near.normals * far.normals).sum(dim=1).abs()
    assert cosines.quantile(0.01) > 0.999
    torch.testing.assert_close(far.centers - torch.tensor([4e5, 5e6, 100.0]), near.centers, atol=1e-3, rtol=0)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_points(count: int) -> None:
    planes = adaptive_planes(torch.rand(count, 3))
    assert planes.normals.shape == (count, 3)
    torch.testing.assert_close(planes.normals.norm(dim=1), torch.ones(count))


def test_equal_points_and_lines_have_finite_planes() -> None:
    line = torch.linspace(0, 1, 300)[:, None] * torch.tensor([1.0, 2.0, 3.0])
    for points in (torch.ones(300, 3), line):
        planes = adaptive_planes(points)
        assert all(bool(torch.isfinite(part).all()) for part in planes)
        torch.testing.assert_close(planes.variances[:, :2], torch.zeros(300, 2), atol=1e-8, rtol=0)
