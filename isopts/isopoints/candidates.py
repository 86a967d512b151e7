"""Points on the zero set, more than needed and in no even distribution: where an extraction starts."""

from typing import NamedTuple

import torch

from isopts.geometry.spacing import areas
from isopts.geometry.surface_cells import CellGrid, find_surface_cells
from isopts.isopoints.project import ProjectionConfig, ValueAndGradient, project

_SEEDS_MAX = 16  # a wanted candidate; a dense scan has many more, and projecting them finds nothing new


class Candidates(NamedTuple):
    """points (M, 3), normals (M, 3) and values (M,) on the zero set; areas (M,) that the points stand for;
    unconverged: share of the starting points that did not get there."""

    points: torch.Tensor
    normals: torch.Tensor
    values: torch.Tensor
    areas: torch.Tensor
    unconverged: float

    @property
    def area(self) -> float:
        """Of the surface."""
        return float(self.areas.sum())


def points_in_surface_cells(
    value_and_gradient: ValueAndGradient,
    count: int,
    grid: CellGrid,
    device: torch.device | str,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """About `count` (at least one a cell) random points in the cells that the zero set can pass through.

    Every sheet and component larger than a cell gets points. Empty where there is no zero set.
    """
    cells = find_surface_cells(lambda points: value_and_gradient(points)[0], grid, device=device)
    if len(cells) == 0:
        return torch.zeros((0, 3), device=device)
    chosen = cells.repeat(-(-count // len(cells)), 1)
    offsets = torch.rand(chosen.shape, generator=generator).to(device) - 0.5
    return grid.centers(chosen) + offsets * grid.cell_size


def jittered(seeds: torch.Tensor, count: int, jitter: float, generator: torch.Generator | None = None) -> torch.Tensor:
    """About `count` points: every one of `seeds` (S, 3) equally often, moved by U(-jitter, jitter) on each axis.

    Seeds beyond 16 times the count are left out at random.
    """
    if len(seeds) > _SEEDS_MAX * count:
        seeds = seeds[torch.randperm(len(seeds), generator=generator)[: _SEEDS_MAX * count].to(seeds.device)]
    repeated = seeds.repeat(max(1, -(-count // max(1, len(seeds)))), 1)
    offsets = 2 * torch.rand(repeated.shape, generator=generator).to(seeds) - 1
    return repeated + jitter * offsets


def candidates(
    value_and_gradient: ValueAndGradient, starts: torch.Tensor, grid: CellGrid, config: ProjectionConfig
) -> Candidates:
    """Project `starts` (S, 3); those that do not converge, or leave the cube of `grid`, are dropped."""
    projection = project(value_and_gradient, starts, config)
    kept = projection.converged & inside(projection.points, grid)
    points, normals = projection.points[kept], projection.normals[kept]
    unconverged = 1 - len(points) / max(1, len(starts))
    point_areas = areas(points, normals) if len(points) > 1 else torch.ones(len(points), device=points.device)
    return Candidates(points, normals, projection.values[kept], point_areas, unconverged)


def choose(candidates: Candidates, count: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """(count,) indices of candidates without repetition, with probability proportional to their area.

    All of them where there are not more. A large key log(u) / area wins (Efraimidis and Spirakis, 2006).
    """
    uniform = torch.rand(len(candidates.areas), generator=generator).to(candidates.areas)
    keys = uniform.clamp_min(1e-30).log() / candidates.areas.clamp_min(1e-30)
    return keys.topk(min(count, len(keys))).indices


def inside(points: torch.Tensor, grid: CellGrid) -> torch.Tensor:
    """(N,) bool: which points lie in the cube of `grid`."""
    return ((points >= grid.low) & (points <= grid.high)).all(dim=1)
