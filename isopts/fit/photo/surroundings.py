"""Which views see the surroundings of a surfel, too: patches of coarse images reach beyond the rim of what is seen."""

import math

import torch

from isopts.geometry.spacing import nearest_distances
from isopts.kernels.neighbors import nearest_neighbors

_LOOKED_AT = 16  # surfels in a patch, about
_RESOLVED = 1.0  # spacings of the surfels: of what is within less they say nothing


def seen_surroundings(
    points: torch.Tensor, visible: torch.Tensor, reach: float, share: float, generator: torch.Generator
) -> torch.Tensor:
    """(N, V) bool: whether a view sees a surfel and at least a share of those within `reach` of it.

    Where it does not, something stands before a part of the patch or the surface turns away from the view: what is
    compared there is not this surface, and pulls it anywhere.

    Args:
        points: (N, 3) surfels, evenly spread. visible: (N, V) bool, which views see them.
        reach: radius of the patches, in the unit of the points.
        share: 0 ... 1. Of larger patches about sixteen surfels are looked at, drawn by `generator`.
    """
    if share == 0 or len(points) < 2:
        return visible
    spacing = float(nearest_distances(points).median())
    if reach < _RESOLVED * spacing:
        return visible
    within = max(math.pi * (reach / spacing) ** 2, 1.0)
    count = min(len(points), math.ceil(len(points) * _LOOKED_AT / within))
    looked_at = torch.randperm(len(points), generator=generator)[:count].to(points.device)
    found = nearest_neighbors(points, points[looked_at], min(_LOOKED_AT, count))
    near, neighbors = found.squared_distances < reach**2, looked_at[found.indices]
    seeing = torch.zeros(visible.shape, dtype=torch.uint8, device=points.device)
    for rank in range(near.shape[1]):
        seeing += visible[neighbors[:, rank]] & near[:, rank : rank + 1]
    return visible & (seeing >= share * near.sum(dim=1, keepdim=True))
