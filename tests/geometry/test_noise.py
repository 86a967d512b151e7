import pytest
import torch

from isopts.geometry.noise import estimate_noise, noise_and_support


def noisy_sphere(deviation: float, outliers: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    directions = torch.nn.functional.normalize(torch.randn((8000, 3), generator=generator), dim=1)
    points = directions + deviation * torch.randn(directions.shape, generator=generator)
    points[:outliers] = 4 * torch.rand((outliers, 3), generator=generator) - 2
    return points


@pytest.mark.parametrize("deviation", [0.002, 0.01, 0.03])
@pytest.mark.parametrize("outliers", [0, 400])
def test_noise_is_recovered(deviation: float, outliers: int) -> None:
    assert estimate_noise(noisy_sphere(deviation, outliers)) == pytest.approx(deviation, rel=0.08)


def test_a_clean_surface_has_none() -> None:
    assert estimate_noise(noisy_sphere(0.0)) < 1e-4


def test_noise_scales_with_the_points_and_not_with_their_place() -> None:
    points = noisy_sphere(0.01).double()
    moved = 250 * points + torch.tensor([1e5, 0.0, 0.0])
    assert estimate_noise(moved) == pytest.approx(250 * estimate_noise(points), rel=1e-6)


def test_more_noise_takes_more_neighbours() -> None:
    assert noise_and_support(noisy_sphere(0.0)).k == 16
    assert noise_and_support(noisy_sphere(0.03)).k > 32


@pytest.mark.parametrize("count", [0, 1, 15])
def test_too_few_points_have_no_noise(count: int) -> None:
    assert estimate_noise(torch.rand(count, 3)) == 0


def test_the_two_sheets_of_a_thin_wall_are_not_noise() -> None:
    generator = torch.Generator().manual_seed(3)
    deviation, sides = 0.005, torch.where(torch.arange(8000) % 2 == 0, 0.5, -0.5)
    points = 2 * torch.rand((8000, 3), generator=generator) - 1
    points[:, 2] = 0.03 * sides + deviation * torch.randn(8000, generator=generator)
    normals = torch.zeros_like(points)
    normals[:, 2] = 2 * sides
    assert estimate_noise(points) > 0.01
    assert estimate_noise(points, normals) == pytest.approx(deviation, rel=0.08)


@pytest.mark.parametrize("deviation", [0.005, 0.012])
def test_the_next_fin_is_not_noise(deviation: float) -> None:
    """Plates 0.04 thick and 0.06 apart: their upper sides face the same way."""
    generator = torch.Generator().manual_seed(4)
    sheet = torch.randint(16, (60_000,), generator=generator)
    upper = sheet % 2 == 1
    points = torch.rand((60_000, 3), generator=generator)
    points[:, 2] = 0.1 * (sheet // 2) + 0.04 * upper + deviation * torch.randn(60_000, generator=generator)
    normals = torch.zeros_like(points)
    normals[:, 2] = torch.where(upper, 1.0, -1.0)
    assert estimate_noise(points, normals) == pytest.approx(deviation, rel=0.15)
