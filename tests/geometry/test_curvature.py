import math

import torch

from isopts.geometry.curvature import mean_curvature, principal_curvatures
from isopts.kernels.neighbors import nearest_neighbors


def neighbors_of(points: torch.Tensor) -> torch.Tensor:
    return nearest_neighbors(points, points, 13).indices[:, 1:]


def test_a_sphere_bends_by_one_over_its_radius() -> None:
    generator = torch.Generator().manual_seed(1)
    normals = torch.nn.functional.normalize(torch.randn((1000, 3), generator=generator), dim=1)
    points = 4 * normals
    found = principal_curvatures(points, normals, neighbors_of(points))
    torch.testing.assert_close(found, torch.full((1000, 2), 0.25), atol=1e-4, rtol=0)
    torch.testing.assert_close(mean_curvature(points, -normals, neighbors_of(points)), torch.full((1000,), -0.25))


def test_a_torus_bends_as_its_formula_says() -> None:
    generator = torch.Generator().manual_seed(1)
    around, across = (2 * math.pi * torch.rand((2, 20000), generator=generator)).unbind()
    normals = torch.stack([across.cos() * around.cos(), across.cos() * around.sin(), across.sin()], dim=1)
    ring = torch.stack([around.cos(), around.sin(), torch.zeros_like(around)], dim=1)
    found = principal_curvatures(ring + 0.4 * normals, normals, neighbors_of(ring + 0.4 * normals))
    expected = across.cos() / (1 + 0.4 * across.cos())
    assert (found[:, 0] - expected).abs().median() < 0.01
    assert (found[:, 1] - 2.5).abs().median() < 0.01


def test_a_plane_does_not_bend_and_missing_neighbours_are_flat() -> None:
    points = torch.rand((300, 3), generator=torch.Generator().manual_seed(1)) * torch.tensor([1.0, 1.0, 0.0])
    normals = torch.tensor([0.0, 0.0, 1.0]).expand_as(points)
    assert principal_curvatures(points, normals, neighbors_of(points)).abs().max() == 0
    assert principal_curvatures(points, normals, torch.full((300, 4), -1)).abs().max() == 0
