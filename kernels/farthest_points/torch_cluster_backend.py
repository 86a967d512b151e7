"""Farthest-point sampling by torch_cluster."""

import torch

from isopts.kernels.backends import import_backend
from isopts.kernels.farthest_points.without_repeats import without_repeats


def farthest_points_torch_cluster(points: torch.Tensor, count: int, start: int) -> torch.Tensor:
    """`fps` takes a ratio, rounds the number up, and starts at the first point: `start` trades places with it."""
    order = torch.arange(len(points), device=points.device)
    order[0], order[start] = start, 0
    ratio = min(
        1.0, (count + 0.5) / len(points)
    )  # at least `count` whatever the rounding: a sample's start is a sample
    selected = import_backend("torch_cluster").fps(points[order], ratio=ratio, random_start=False)[:count]
    return without_repeats(order[selected], len(points), count)
