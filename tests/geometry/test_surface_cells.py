import pytest
import torch

from isopts.errors import DivergedError
from isopts.geometry.surface_cells import CellGrid, find_surface_cells


def sphere(points: torch.Tensor) -> torch.Tensor:
    return (points - torch.tensor([0.1, 0.05, -0.02])).norm(dim=1) - 0.7


def two_specks(points: torch.Tensor) -> torch.Tensor:
    """Two spheres of radius 0.01, smaller than a coarse cell."""
    centers = torch.tensor([[0.61, -0.33, 0.2], [-0.8, 0.77, -0.9]])
    return torch.cdist(points, centers).amin(dim=1) - 0.01


def scaled_and_bent(points: torch.Tensor) -> torch.Tensor:
    """Not a distance: slope 30, and it varies."""
    return 30 * (sphere(points) + 0.05 * (7 * points).sin().sum(dim=1))


def cells_with_a_change_of_sign(value, grid: CellGrid) -> set[tuple[int, int, int]]:
    nodes = torch.arange(grid.resolution + 1).float() * grid.cell_size + grid.low
    inside = value(torch.cartesian_prod(nodes, nodes, nodes)) <= 0
    corners = inside.view((grid.resolution + 1,) * 3).unfold(0, 2, 1).unfold(1, 2, 1).unfold(2, 2, 1).flatten(3)
    return set(map(tuple, torch.nonzero(corners.any(-1) & ~corners.all(-1)).tolist()))


@pytest.mark.parametrize("resolution", [7, 32, 64, 97, 128])
@pytest.mark.parametrize("value", [sphere, two_specks, scaled_and_bent])
def test_no_cell_that_the_surface_crosses_is_missed(value, resolution: int) -> None:
    grid = CellGrid(resolution)
    found = find_surface_cells(value, grid)
    assert found.min() >= 0
    assert found.max() < resolution
    assert len(torch.unique(found, dim=0)) == len(found)
    assert cells_with_a_change_of_sign(value, grid) <= set(map(tuple, found.tolist()))


def test_few_cells_are_looked_at_and_never_too_many_at_once() -> None:
    calls = []

    def counting(points: torch.Tensor) -> torch.Tensor:
        assert not torch.is_grad_enabled()
        calls.append(len(points))
        return sphere(points)

    found = find_surface_cells(counting, CellGrid(256), chunk=5000)
    assert max(calls) <= 5000
    assert sum(calls) < 0.1 * 256**3
    centers = CellGrid(256).centers(found)
    assert sphere(centers).abs().max() <= 1.3 * 3**0.5 / 256  # 1.25 half diagonals and little more


def steep_place(points: torch.Tensor) -> torch.Tensor:
    """The sphere, ten times as steep around one of its points."""
    place = torch.tensor([0.8, 0.05, -0.02])
    return sphere(points) * (1 + 9 * torch.exp(-((points - place).square().sum(dim=1)) / 0.005))


def test_a_steep_place_does_not_make_the_band_thick_elsewhere() -> None:
    grid = CellGrid(128)
    found = find_surface_cells(steep_place, grid)
    assert cells_with_a_change_of_sign(steep_place, grid) <= set(map(tuple, found.tolist()))
    assert len(found) < 1.5 * len(find_surface_cells(sphere, grid))


def test_the_domain_can_be_any_cube() -> None:
    grid = CellGrid(96, low=-0.5, high=0.1)
    found = find_surface_cells(sphere, grid)
    assert cells_with_a_change_of_sign(sphere, grid) <= set(map(tuple, found.tolist()))
    centers = grid.centers(found)
    assert centers.min() > -0.5
    assert centers.max() < 0.1


def test_a_function_without_a_zero_has_no_cells() -> None:
    assert find_surface_cells(lambda points: 2 + points.sum(1) / 100, CellGrid(128)).shape == (0, 3)


def test_values_that_are_not_finite_are_an_error() -> None:
    with pytest.raises(DivergedError):
        find_surface_cells(lambda points: points[:, 0] * torch.nan, CellGrid(64))
