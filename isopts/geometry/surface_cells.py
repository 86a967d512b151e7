"""Grid cells that the zero set of a function can pass through, found from coarse to fine."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from isopts.errors import DivergedError

Value = Callable[[torch.Tensor], torch.Tensor]
_COARSEST = 32  # cells along a side that are all looked at: 32^3 values cost less than one refined level
_STEEP = 0.95  # of a level's slopes; a few steep places far above it would make the band thick everywhere
_OCTANTS = torch.tensor([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)])


@dataclass(frozen=True)
class CellGrid:
    """A cube cut into `resolution`^3 cells. low, high: its corners' coordinate, the same on each axis."""

    resolution: int
    low: float = -1.0
    high: float = 1.0

    @property
    def cell_size(self) -> float:
        return (self.high - self.low) / self.resolution

    def centers(self, cells: torch.Tensor) -> torch.Tensor:
        """Centres (C, 3) float32 of the cells (C, 3), indices along x, y and z."""
        return self.low + (cells.float() + 0.5) * self.cell_size


@torch.no_grad()
def find_surface_cells(
    value: Value,
    grid: CellGrid,
    device: torch.device | str = "cpu",
    margin: float = 1.25,
    chunk: int = 2**18,
) -> torch.Tensor:
    """Cells (C, 3) int64 of `grid` that can contain a zero of `value`, in no particular order.

    A cell stays while |value(centre)| <= L * half its diagonal; its eight children are looked at next. The Lipschitz
    bound L is measured: `margin` times the slope within the eight siblings or the level's steep one, the 95 % quantile,
    whichever is steeper. It is an estimate: a feature thinner than the coarsest cells (1/32 of the side or finer) where
    `value` is much steeper than around it and than at nearly all of the level's samples can be missed; distance-like
    functions are safe.

    Args:
        value: (N, 3) -> (N,), called without gradients and with at most `chunk` points.
        grid: the finest level. Cells of coarser levels that stick out of the cube are looked at within it.
        device: where the points are made.
        margin: raise it for functions whose slope varies much within a cell.
        chunk: points a call; bounds the memory of `value`.

    Raises:
        DivergedError: `value` is not finite somewhere.
    """
    if grid.resolution < _COARSEST:
        return _all_cells(grid.resolution, device)
    levels = (grid.resolution // _COARSEST).bit_length() - 1
    count = -(-grid.resolution // 2 ** (levels + 1))
    cells = _all_cells(count, device)
    for level in range(levels, -1, -1):
        cells = _children_near_surface(value, grid, 2**level, cells, margin, chunk)
    return cells


def _all_cells(count: int, device: torch.device | str) -> torch.Tensor:
    axis = torch.arange(count, device=device)
    return torch.cartesian_prod(axis, axis, axis)


def _children_near_surface(
    value: Value, grid: CellGrid, width: int, parents: torch.Tensor, margin: float, chunk: int
) -> torch.Tensor:
    """Of the children of `parents`, `width` cells of the grid wide, those that can contain a zero."""
    octants = _OCTANTS.to(parents.device)
    count = max(1, chunk // 8)
    values = [_values_of_children(value, grid, width, some, octants) for some in parents.split(count)]
    values = torch.cat(values)
    if len(values) == 0:
        return parents
    if not bool(values.isfinite().all()):
        raise DivergedError("The field has values that are not finite; it cannot be cut into a surface.")
    size = grid.cell_size * width
    bound = margin * _slopes(values, octants, size) * size * 3**0.5 / 2
    parent, octant = torch.nonzero(values.abs() <= bound[:, None], as_tuple=True)
    children = 2 * parents[parent] + octants[octant]
    return children[(children * width < grid.resolution).all(dim=1)]


def _values_of_children(
    value: Value, grid: CellGrid, width: int, parents: torch.Tensor, octants: torch.Tensor
) -> torch.Tensor:
    """Values (P, 8) at the children's centres. A centre outside the cube moves to its border, which brings it nearer
    to every point of the cell within the cube, so that the bound still holds."""
    children = (2 * parents[:, None] + octants).reshape(-1, 3)
    centers = grid.low + (children.float() + 0.5) * (grid.cell_size * width)
    return value(centers.clamp(grid.low, grid.high)).float().view(-1, 8)


def _slopes(values: torch.Tensor, octants: torch.Tensor, size: float) -> torch.Tensor:
    """Slopes (P,) to reckon with among eight siblings' values (P, 8) at spacing `size`: the norm of the gradient that
    fits them best, and never less than the level's steep one."""
    signs = (2 * octants - 1).to(values.dtype)
    slopes = (values @ signs / (4 * size)).norm(dim=1)
    return slopes.clamp(min=slopes.kthvalue(math.ceil(_STEEP * len(slopes))).values)
