import torch

from isopts.geometry.denoise_normals import denoise_normals
from isopts.kernels.neighbors import nearest_neighbors


def roof(noise: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Points, noisy and exact normals of two faces that meet at a right angle along the y axis."""
    generator = torch.Generator().manual_seed(6)
    along = torch.rand((6000, 2), generator=generator)
    left = torch.arange(6000) % 2 == 0
    side = torch.where(left, -1.0, 1.0)
    points = torch.stack([side * along[:, 0], along[:, 1], -along[:, 0]], dim=1)
    exact = torch.stack([side, torch.zeros(6000), torch.ones(6000)], dim=1) / 2**0.5
    noisy = torch.nn.functional.normalize(exact + noise * torch.randn(exact.shape, generator=generator), dim=1)
    return points, noisy, exact


def test_noise_goes_and_the_edge_stays() -> None:
    points, noisy, exact = roof(0.1)
    neighbors = nearest_neighbors(points, points, 24).indices
    denoised = denoise_normals(points, noisy, neighbors, angle_degrees=30, iterations=3)
    error = 1 - (denoised * exact).sum(dim=1)
    assert error.mean() < 0.2 * (1 - (noisy * exact).sum(dim=1)).mean()
    at_edge = points[:, 0].abs() < 0.02
    assert error[at_edge].median() < 0.01
    torch.testing.assert_close(denoised.norm(dim=1), torch.ones(6000))


def test_a_wide_angle_rounds_the_edge() -> None:
    points, _, exact = roof(0.0)
    neighbors = nearest_neighbors(points, points, 24).indices
    at_edge = points[:, 0].abs() < 0.01
    sharp, wide = (
        (denoise_normals(points, exact, neighbors, angle) * exact).sum(dim=1)[at_edge] for angle in (15.0, 150.0)
    )
    assert sharp.min() > 0.9999
    assert wide.mean() < 0.95


def test_absent_neighbours_do_not_count() -> None:
    points, noisy, _ = roof(0.1)
    absent = torch.full((6000, 3), -1)
    torch.testing.assert_close(denoise_normals(points, noisy, absent), noisy)
