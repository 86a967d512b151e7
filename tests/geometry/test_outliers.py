import pytest
import torch

from isopts.geometry.adaptive_planes import adaptive_planes
from isopts.geometry.outliers import clutter, stray_points
from isopts.kernels.neighbors import nearest_neighbors


def sphere_with_outliers() -> torch.Tensor:
    """3000 points of a unit sphere, then 60 in the cube around it."""
    generator = torch.Generator().manual_seed(8)
    surface = torch.nn.functional.normalize(torch.randn((3000, 3), generator=generator), dim=1)
    return torch.cat([surface, 3 * torch.rand((60, 3), generator=generator) - 1.5])


def test_stray_points_are_off_their_planes() -> None:
    points = sphere_with_outliers()
    found = stray_points(points, adaptive_planes(points))
    assert found[:3000].float().mean() < 0.01
    assert found[3000:].float().mean() > 0.7


def test_a_sparse_surface_beside_a_dense_one_is_not_stray() -> None:
    generator = torch.Generator().manual_seed(8)
    directions = torch.nn.functional.normalize(torch.randn((10_500, 3), generator=generator), dim=1)
    points = torch.where((torch.arange(10_500) < 10_000)[:, None], 1.0, 0.5) * directions
    assert stray_points(points, adaptive_planes(points)).float().mean() < 0.01


@pytest.mark.parametrize("has_normals", [True, False])
def test_a_third_of_outliers_is_clutter_and_a_sphere_is_not(has_normals: bool) -> None:
    generator = torch.Generator().manual_seed(5)
    surface = torch.nn.functional.normalize(torch.randn((8000, 3), generator=generator), dim=1)
    outliers = 3 * torch.rand((4000, 3), generator=generator) - 1.5
    points = torch.cat([surface, outliers])
    normals = torch.cat([surface, torch.nn.functional.normalize(outliers.flip(0), dim=1)])
    neighbors = nearest_neighbors(points, points, 16).indices
    found = clutter(points, normals if has_normals else None, neighbors)
    assert found[:8000].float().mean() < 0.001
    assert found[8000:].float().mean() > 0.6


def test_a_sparse_thin_wall_is_no_clutter() -> None:
    generator = torch.Generator().manual_seed(6)
    dense, sparse = torch.rand((8000, 3), generator=generator), 2 * torch.rand((1000, 3), generator=generator)
    dense[:, 2] = 0
    sparse[:, 0] += 1.2
    side = torch.where(torch.arange(1000) % 2 == 0, 1.0, -1.0)
    sparse[:, 2] = 0.04 * side
    normals = torch.zeros((9000, 3))
    normals[:, 2] = torch.cat([torch.ones(8000), side])
    points = torch.cat([dense, sparse])
    assert not bool(clutter(points, normals, nearest_neighbors(points, points, 16).indices).any())
