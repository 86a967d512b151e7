import math

import torch
from torch.nn.functional import normalize

from isopts.geometry.curvature import mean_curvature, principal_curvatures, shape_operators
from isopts.kernels.neighbors import nearest_neighbors


def neighbors_of(points: torch.Tensor) -> torch.Tensor:
    return nearest_neighbors(points, points, 13).indices[:, 1:]


def test_a_sphere_bends_by_one_over_its_radius() -> None:
    generator = torch.Generator().manual_seed(1)
    normals = normalize(torch.randn((1000, 3), generator=generator), dim=1)
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


def test_shape_operators_of_a_ball_and_a_cylinder_around_z():
    directions = normalize(torch.randn(50, 3, generator=torch.Generator().manual_seed(1)), dim=1)
    found = shape_operators(lambda places: 3 * places, 0.5 * directions, directions, 0.01)
    tangent = torch.eye(3) - directions[:, :, None] * directions[:, None]
    torch.testing.assert_close(found, tangent / 0.5, atol=2e-3, rtol=0)
    across = torch.tensor([1.0, 1.0, 0.0])
    around = normalize(directions * across, dim=1)
    found = shape_operators(lambda places: places * across, 0.25 * around, around, 0.01)
    along = torch.stack([-around[:, 1], around[:, 0], torch.zeros(50)], dim=1)
    torch.testing.assert_close(found, 4 * along[:, :, None] * along[:, None], atol=0.01, rtol=0)


def test_a_shape_operator_is_symmetric_where_normals_turn_unevenly():
    def gradient(places: torch.Tensor) -> torch.Tensor:  # turns about the normal, too
        x, y, _ = places.unbind(1)
        return torch.stack([2 * x + 1.5 * y, 0.5 * y, torch.ones_like(x)], dim=1)

    up = torch.tensor([[0.0, 0.0, 1.0]])
    (found,) = shape_operators(gradient, torch.zeros(1, 3), up, 1e-3)
    torch.testing.assert_close(found, torch.tensor([[2.0, 0.75, 0.0], [0.75, 0.5, 0.0], [0, 0, 0]]), atol=1e-3, rtol=0)
    assert shape_operators(gradient, torch.zeros(0, 3), torch.zeros(0, 3), 1e-3).shape == (0, 3, 3)
