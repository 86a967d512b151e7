"""The definition: all rays march at once, each by its own steps."""

import torch
from torch.nn import functional

SAFETY = 0.8
"""Share of a sampled distance that a ray moves on: interpolated values are only nearly distances."""


def march_rays_reference(
    grid: torch.Tensor, origins: torch.Tensor, directions: torch.Tensor, step_min: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """hits (R,), nearest (R,), smallest (R,); see op.py."""
    enter, leave = _crossings_of_cube(origins, directions)
    infinite = torch.full_like(enter, torch.inf)
    hits, nearest, smallest = infinite.clone(), infinite.clone(), infinite.clone()
    at, before, previous = enter.clone(), enter.clone(), infinite.clone()
    running = enter <= leave
    while bool(running.any()):
        values = _trilinear(grid, origins + at[:, None] * directions)
        lower = running & (values < smallest)
        smallest, nearest = torch.where(lower, values, smallest), torch.where(lower, at, nearest)
        crossed = running & hits.isinf() & (values <= 0)
        share = torch.where(previous > 0, previous / (previous - values), 1.0)
        share = torch.where(previous.isinf(), 0.0, share)
        hits = torch.where(crossed, before + share * (at - before), hits)
        before, previous = at.clone(), values
        running = running & (at < leave)
        at = torch.where(running, torch.minimum(at + (SAFETY * values.abs()).clamp_min(step_min), leave), at)
    return hits, nearest, smallest


def _crossings_of_cube(origins: torch.Tensor, directions: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Distances (R,) at which rays enter (0 from inside) and leave [-1, 1]^3; leave < enter for rays that miss it."""
    inverse = 1 / directions
    first, second = (-1 - origins) * inverse, (1 - origins) * inverse
    parallel = directions == 0
    outside = parallel & (origins.abs() > 1)
    low = torch.where(parallel, -torch.inf, torch.minimum(first, second)).amax(dim=1)
    high = torch.where(parallel, torch.inf, torch.maximum(first, second)).amin(dim=1)
    return low.clamp_min(0), torch.where(outside.any(dim=1), -torch.inf, high)


def _trilinear(grid: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    places = points.nan_to_num().flip(1).view(1, -1, 1, 1, 3)  # grid_sample names the last axis first
    return functional.grid_sample(grid[None, None], places, padding_mode="border", align_corners=True).flatten()
