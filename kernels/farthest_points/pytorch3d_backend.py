"""Farthest-point sampling by pytorch3d."""

import torch

from isopts.kernels.backends import import_backend
from isopts.kernels.farthest_points.without_repeats import without_repeats


def farthest_points_pytorch3d(points: torch.Tensor, count: int, start: int) -> torch.Tensor:
    """`sample_farthest_points` works in float32 and starts at the first point: `start` trades places with it."""
    order = torch.arange(len(points), device=points.device)
    order[0], order[start] = start, 0
    local = (points - points.mean(dim=0)).to(torch.float32)[order]
    ops = import_backend("pytorch3d", "pytorch3d.ops")
    selected = ops.sample_farthest_points(local[None], K=count)[1][0]
    return without_repeats(order[selected], len(points), count)
