"""Mixtures agree with their definition, and repeated mixing is diffusion."""

import pytest
import torch

from isopts.errors import InputError
from isopts.kernels.gaussian_mixing import Gaussians, mix_gaussians, principal_axes
from isopts.kernels.neighbors import nearest_neighbors


def without_extent(points: torch.Tensor) -> Gaussians:
    return Gaussians(points, points.new_zeros((len(points), 6)))


@pytest.mark.parametrize("k", [1, 2, 17])
def test_hard_clouds_as_defined(hard_cloud: torch.Tensor, k: int) -> None:
    neighbors = nearest_neighbors(hard_cloud, hard_cloud, min(k, len(hard_cloud))).indices
    weights = torch.rand(neighbors.shape, generator=torch.Generator().manual_seed(0)).to(hard_cloud) + 0.1
    found = expected = without_extent(hard_cloud)
    for _ in range(2):
        found = mix_gaussians(found, neighbors, weights)
        expected = mix_gaussians(expected, neighbors, weights, backend="reference")
    scale = float(hard_cloud.abs().max())
    torch.testing.assert_close(found.means, expected.means, rtol=1e-5, atol=1e-6 * scale)
    torch.testing.assert_close(found.covariances, expected.covariances, rtol=1e-3, atol=1e-6 * scale**2)


def test_one_mixture_by_hand(device: torch.device) -> None:
    means = torch.tensor([[0.0, 0.0, 0.0], [4.0, 0.0, 0.0]], device=device)
    gaussians = Gaussians(means, torch.tensor([[1.0, 0, 0, 2, 0, 3], [5.0, 0, 0, 2, 1, 3]], device=device))
    mixed = mix_gaussians(gaussians, torch.tensor([[0, 1]], device=device), torch.tensor([[3.0, 1.0]], device=device))
    assert mixed.means.tolist() == [[1.0, 0.0, 0.0]]
    assert mixed.covariances.tolist() == [[5.0, 0.0, 0.0, 2.0, 0.25, 3.0]]  # (3 + 5) / 4 within, 3 between


def test_each_step_adds_the_same_variance() -> None:
    grid = torch.cartesian_prod(torch.arange(41.0), torch.arange(41.0), torch.zeros(1))
    neighbors = nearest_neighbors(grid, grid, 5).indices  # itself and four
    gaussians, middle = without_extent(grid), len(grid) // 2
    for step in range(1, 6):
        gaussians = mix_gaussians(gaussians, neighbors, torch.ones(neighbors.shape))
        torch.testing.assert_close(
            gaussians.covariances[middle], torch.tensor([0.4 * step, 0, 0, 0.4 * step, 0, 0]), atol=1e-5, rtol=0
        )


def test_axes_as_defined(device: torch.device) -> None:
    factors = torch.randn((500, 3, 3), generator=torch.Generator().manual_seed(1)).to(device)
    full = factors @ factors.transpose(1, 2)
    covariances = full[:, (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)]
    found, expected = principal_axes(covariances), principal_axes(covariances, backend="reference")
    torch.testing.assert_close(found.variances, expected.variances, rtol=1e-5, atol=1e-6)
    cosines = (found.normals * expected.normals).sum(dim=1).abs()
    torch.testing.assert_close(cosines, torch.ones_like(cosines), atol=1e-5, rtol=0)


def test_same_result_for_one_and_two_threads() -> None:
    points = torch.rand(20000, 3, generator=torch.Generator().manual_seed(1))
    neighbors = torch.randint(0, 20000, (20000, 8), generator=torch.Generator().manual_seed(2))
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            mixed = mix_gaussians(without_extent(points), neighbors, torch.ones(neighbors.shape))
            results.append(torch.cat([*mixed, *principal_axes(mixed.covariances)], dim=1))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*results)


def test_refuses_other_shapes() -> None:
    points, neighbors = torch.rand(4, 3), torch.zeros((4, 2), dtype=torch.int64)
    with pytest.raises(InputError, match=r"gaussians are \(4, 2\)"):
        mix_gaussians(Gaussians(points[:, :2], torch.zeros(4, 6)), neighbors, torch.ones(4, 2))
    with pytest.raises(InputError, match=r"weights \(4, 3\)"):
        mix_gaussians(without_extent(points), neighbors, torch.ones(4, 3))
    with pytest.raises(InputError, match=r"covariances are \(4, 5\)"):
        principal_axes(torch.zeros(4, 5))
