import pytest
import torch
from torch.nn import functional

from isopts.data.synthetic import ScanConfig, make_scan
from isopts.data.synthetic_shapes import SHAPES
from isopts.geometry.repair_normals import contradicted_share, opposite_offset, repair_normals


def repaired(points: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
    return repair_normals(points, normals, contradicted_share(points, normals))


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(9)


def noisy_sphere(noise: float, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Points, exact normals, and normals with an error of about 20 degrees."""
    exact = functional.normalize(torch.randn((10_000, 3), generator=generator), dim=1)
    points = exact + noise * torch.randn(exact.shape, generator=generator)
    return points, exact, functional.normalize(exact + 0.2 * torch.randn(exact.shape, generator=generator), dim=1)


def turned(normals: torch.Tensor, share: float, generator: torch.Generator) -> torch.Tensor:
    return torch.where(torch.rand((len(normals), 1), generator=generator) < share, -normals, normals)


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("share", [0.1, 0.25])
def test_turned_normals_are_turned_back(noise: float, share: float, generator) -> None:
    points, exact, given = noisy_sphere(noise, generator)
    found = repaired(points, turned(given, share, generator))
    assert ((found * exact).sum(dim=1) > 0).float().mean() > 0.998
    assert torch.equal(found.abs(), given.abs())


def test_four_in_ten_are_decided_anew(generator) -> None:
    points, exact, given = noisy_sphere(0.01, generator)
    found = repaired(points, turned(given, 0.4, generator))
    assert ((found * exact).sum(dim=1) > 0).float().mean() > 0.99


def test_share_is_measured(generator) -> None:
    points, _, given = noisy_sphere(0.01, generator)
    assert contradicted_share(points, given) < 0.002
    assert contradicted_share(points, turned(given, 0.1, generator)) == pytest.approx(0.1, abs=0.02)


def test_right_normals_stay(generator) -> None:
    points, _, given = noisy_sphere(0.01, generator)
    assert (repaired(points, given) * given).sum(dim=1).min() > 0
    assert (repaired(points, -given) * -given).sum(dim=1).min() > 0  # which side is outside is not its business


def test_the_two_sides_of_a_thin_wall_do_not_outvote_each_other(generator) -> None:
    points = 2 * torch.rand((20_000, 3), generator=generator) - 1
    side = points[:, 2].sign()
    points[:, 2] = 0.05 * side  # the wall is five spacings thick
    normals = torch.stack([torch.zeros_like(side), torch.zeros_like(side), side], dim=1)
    assert contradicted_share(points, normals) < 0.01
    found = repaired(points, turned(normals, 0.1, generator))
    assert ((found * normals).sum(dim=1) > 0).float().mean() > 0.98


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_points(count: int) -> None:
    points = torch.rand(count, 3)
    normals = torch.tensor([[0.0, 0.0, 1.0]]).repeat(count, 1)
    assert contradicted_share(points, normals) == 0
    assert torch.equal(repaired(points, normals), normals)


def test_the_other_sheet_of_a_noisy_wall_is_behind_and_turned_normals_are_not(generator) -> None:
    points = 2 * torch.rand((20_000, 3), generator=generator) - 1
    side = torch.where(torch.arange(len(points)) % 2 == 0, 1.0, -1.0)
    points[:, 2] = 0.02 * side + 0.015 * torch.randn(len(points), generator=generator)
    wall = torch.zeros_like(points)
    wall[:, 2] = side
    assert opposite_offset(points, wall) > 0.3
    assert opposite_offset(points, -wall) < -0.3
    sphere, _, given = noisy_sphere(0.02, generator)
    assert abs(opposite_offset(sphere, turned(given, 0.2, generator))) < 0.1
    assert opposite_offset(points[:1], wall[:1]) == 0


@pytest.mark.parametrize("share", [0.1, 0.25])
def test_turned_normals_of_a_wall_as_thin_as_the_neighbourhoods_are_turned_back(share: float, generator) -> None:
    """Flat links alone leave a tenth of them wrong, and turn right ones."""
    cloud = make_scan(SHAPES["vase"], ScanConfig(points=60_000, noise=0.0075, outliers=0.0, normal_noise=0.1))
    points, given = (torch.from_numpy(part).float() for part in (cloud.points, cloud.normals))
    found = repaired(points, turned(given, share, generator))
    assert ((found * given).sum(dim=1) > 0).float().mean() > 0.97
