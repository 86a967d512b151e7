"""Checks and dispatch of the ray march."""

from typing import NamedTuple

import torch

from isopts.errors import InputError
from isopts.kernels.backends import note_backend
from isopts.kernels.grid_rays.kernel import march_kernel
from isopts.kernels.grid_rays.reference import march_rays_reference
from isopts.kernels.launch import launch


class RayExtremes(NamedTuple):
    """Distances along R rays, in lengths of their directions.

    hits: (R,), to the first place where the value is not positive, inf where there is none; where the ray starts in
    such a place, the start. smallest: (R,), the smallest value met. nearest: (R,), to its place. Both are inf for a ray
    that misses the cube.
    """

    hits: torch.Tensor
    nearest: torch.Tensor
    smallest: torch.Tensor


def march_rays(
    grid: torch.Tensor,
    origins: torch.Tensor,
    directions: torch.Tensor,
    step_min: float | None = None,
    backend: str = "auto",
) -> RayExtremes:
    """March rays through a signed distance field sampled on [-1, 1]^3, interpolated linearly. Not differentiable.

    A ray looks at places four fifths of the sampled distance apart, `step_min` at least; the crossing between two of
    them is interpolated. A sheet that is thinner than `step_min` may be missed.

    Args:
        grid: (G, G, G) float32, G > 1: values at x (first axis), y, z from -1 to 1.
        origins: (R, 3) float32. directions: (R, 3) float32, unit where `step_min` and values are to be lengths.
        step_min: a cell by default.
        backend: "auto" (Warp) or "reference".

    Raises InputError for other shapes or dtypes.
    """
    if grid.ndim != 3 or len(set(grid.shape)) != 1 or grid.shape[0] < 2 or grid.dtype != torch.float32:
        raise InputError(f"grid is {tuple(grid.shape)} {grid.dtype}; expected (G, G, G) float32 with G > 1")
    for name, rays in (("origins", origins), ("directions", directions)):
        if rays.ndim != 2 or rays.shape[1] != 3 or rays.dtype != torch.float32 or len(rays) != len(origins):
            raise InputError(f"{name} is {tuple(rays.shape)} {rays.dtype}; expected ({len(origins)}, 3) float32")
    step_min = 2 / (grid.shape[0] - 1) if step_min is None else step_min
    if not step_min > 0:
        raise InputError(f"step_min is {step_min}; expected a positive length")
    if backend == "reference":
        note_backend("grid_rays", "reference")
        return RayExtremes(*march_rays_reference(grid, origins, directions, step_min))
    results = [torch.empty(len(origins), device=grid.device) for _ in RayExtremes._fields]
    arguments = [grid.detach().contiguous(), origins.detach().contiguous(), directions.detach().contiguous()]
    launch(march_kernel, len(origins), [*arguments, step_min, *results], grid.device, grain=128)
    return RayExtremes(*results)
