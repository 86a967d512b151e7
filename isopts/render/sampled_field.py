"""A copy of a field on a regular grid, exact near its surface, for rays to march through."""

import torch
from torch.nn import functional

from isopts.kernels.grid_rays import march_rays
from isopts.render.trace import Trace, Value

_COARSER = 4
_BAND = 1.0  # coarse cells around the surface, and one more, in which every fine sample is the field's own
_CHUNK = 131_072


def sampled_side(resolution: int) -> int:
    """Samples along a side of the grid of `sample_field`."""
    return _COARSER * -(-resolution // _COARSER) + 1


@torch.no_grad()
def sample_field(value: Value, resolution: int, device: torch.device | str) -> torch.Tensor:
    """(R + 1, R + 1, R + 1) float32 values at x, y, z from -1 to 1, R = resolution rounded up to a multiple of 4.

    Farther from the surface than a cell four times as large, values are interpolated between those.
    """
    cells = -(-resolution // _COARSER)
    coarse = _values(value, _lattice(cells, device)).view([cells + 1] * 3)
    size = [sampled_side(resolution)] * 3
    near = (coarse.abs() < _BAND * 2 / cells).float()[None, None]
    near = functional.interpolate(functional.max_pool3d(near, 3, 1, 1), size, mode="trilinear", align_corners=True)
    grid = functional.interpolate(coarse[None, None], size, mode="trilinear", align_corners=True)[0, 0].contiguous()
    chosen = torch.nonzero(near.flatten() > 0)[:, 0]
    side = size[0]
    indices = torch.stack([chosen // side**2, chosen // side % side, chosen % side], dim=1)
    grid.view(-1)[chosen] = _values(value, 2 * indices.float() / (side - 1) - 1)
    return grid


def trace_sampled(
    grid: torch.Tensor, origins: torch.Tensor, directions: torch.Tensor, out_of_reach: float = 0.0
) -> Trace:
    """Trace rays through a sampled field; distances are as exact as its cells. A ray that misses the cube has not hit,
    and its distance is `out_of_reach`."""
    found = march_rays(grid, origins, directions)
    hits = found.hits.isfinite()
    return Trace(torch.where(hits, found.hits, found.nearest).nan_to_num(posinf=out_of_reach), hits)


def _lattice(cells: int, device: torch.device | str) -> torch.Tensor:
    axis = torch.linspace(-1, 1, cells + 1, device=device)
    return torch.cartesian_prod(axis, axis, axis)


def _values(value: Value, points: torch.Tensor) -> torch.Tensor:
    return torch.cat([value(some) for some in points.split(_CHUNK)]) if len(points) else points[:, 0]
