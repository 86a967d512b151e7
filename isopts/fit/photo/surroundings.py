"""Which views see the surroundings of a surfel, too: patches of coarse images reach beyond the rim of what is seen."""

import math

import torch

from isopts.geometry.spacing import nearest_distances
from isopts.kernels.neighbors import nearest_neighbors

_INNER_SHARE = 0.75  # of a patch's radius: a margin that hangs over spoils few pixels, and leaving views out costs
_LOOKED_AT = 16  # surfels in a patch, about


def seen_surroundings(
    points: torch.Tensor, visible: torch.Tensor, radius: float, share: float, generator: torch.Generator
) -> torch.Tensor:
    """(N, V) bool: whether a view sees a surfel and at least a share of those in the inner part of its patch.

    Where it does not, something stands before a part of the patch or the surface turns away from the view: what is
    compared there is not this surface, and pulls it anywhere.

    Args:
        points: (N, 3) surfels, evenly spread. visible: (N, V) bool, which views see them.
        radius: of the patches, in the unit of the points; where there is no second surfel in one, nothing is asked.
        share: 0 ... 1. Of larger patches about sixteen surfels are looked at, drawn by `generator`.
    """
    if share == 0 or len(points) < 2:
        return visible
    spacing = float(nearest_distances(points).median())
    reach = _INNER_SHARE * radius
    if reach < spacing:
        return visible
    within = math.pi * (reach / spacing) ** 2
    count = min(len(points), math.ceil(len(points) * _LOOKED_AT / within))
    looked_at = torch.randperm(len(points), generator=generator)[:count].to(points.device)
    found = nearest_neighbors(points, points[looked_at], min(_LOOKED_AT, count))
    near, neighbors = found.squared_distances < reach**2, looked_at[found.indices]
    seeing = torch.zeros(visible.shape, dtype=torch.uint8, device=points.device)
    for rank in range(near.shape[1]):
        seeing += visible[neighbors[:, rank]] & near[:, rank : rank + 1]
    return visible & (seeing >= share * near.sum(dim=1, keepdim=True))
