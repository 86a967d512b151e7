import math

import pytest
import torch
from torch.nn import functional

from isopts.geometry.flattening import flattened
from isopts.geometry.spacing import areas


def noisy_sphere(noise: float, count: int = 20_000) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    normals = functional.normalize(torch.randn((count, 3), generator=generator), dim=1)
    return normals + noise * torch.randn(normals.shape, generator=generator), normals


def test_noise_falls_and_the_area_is_right() -> None:
    points, normals = noisy_sphere(0.04)
    flat = flattened(points, normals)
    before, after = ((cloud.norm(dim=1) - 1).std() for cloud in (points, flat))
    assert after < 0.35 * before
    assert float(flat.norm(dim=1).mean()) == pytest.approx(1, abs=0.005)
    assert float(areas(flat).sum()) == pytest.approx(4 * math.pi, rel=0.06)
    assert float(areas(points).sum()) > 1.2 * 4 * math.pi


def test_a_clean_surface_sinks_by_its_curvature_only() -> None:
    points, normals = noisy_sphere(0.0)
    radius = flattened(points, normals).norm(dim=1)
    width_squared = 64 / (4 * math.pi) * 4 * math.pi / len(points)  # of a Gaussian that holds 64 points
    assert float(radius.mean()) == pytest.approx(1 - width_squared, abs=0.2 * width_squared)
    assert float(radius.std()) < 1e-3


def test_two_sides_of_a_thin_wall_stay_apart() -> None:
    points = 2 * torch.rand((20_000, 3), generator=torch.Generator().manual_seed(4)) - 1
    side = points[:, 2].sign()
    points[:, 2] = 0.01 * side
    normals = torch.stack([torch.zeros_like(side), torch.zeros_like(side), side], dim=1)
    torch.testing.assert_close(flattened(points, normals), points, atol=1e-5, rtol=0)


def test_normals_of_the_wrong_sign_do_not_mix_but_move_as_well() -> None:
    points, normals = noisy_sphere(0.04)
    signs = torch.where(torch.rand((len(points), 1), generator=torch.Generator().manual_seed(5)) < 0.25, -1.0, 1.0)
    flat = flattened(points, signs * normals)
    assert (flat.norm(dim=1) - 1).std() < 0.5 * (points.norm(dim=1) - 1).std()


def test_one_point_stays() -> None:
    point = torch.tensor([[1.0, 2.0, 3.0]])
    assert torch.equal(flattened(point, torch.tensor([[0.0, 0.0, 1.0]])), point)
