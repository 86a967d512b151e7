"""Neighbours by pytorch3d. Its `ball_query` returns the first k points inside, so `knn_points` serves both."""

import torch

from isopts.kernels.backends import import_backend
from isopts.kernels.neighbors.candidates import rank_candidates
from isopts.kernels.neighbors.result import Neighbors


def neighbors_pytorch3d(queries: torch.Tensor, points: torch.Tensor, radius: float, k: int) -> Neighbors:
    """pytorch3d works in float32: float64 points are centred first, their distances computed again in float64."""
    ops = import_backend("pytorch3d", "pytorch3d.ops")
    center = points.mean(dim=0)
    batched = [(cloud - center).to(torch.float32)[None] for cloud in (queries, points)]
    found = ops.knn_points(*batched, K=min(k, len(points)))
    return rank_candidates(queries, points, found.idx[0], radius, k)
