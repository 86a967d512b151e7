"""Neighbours by torch_cluster. Its `radius` returns any k points inside, not the nearest, so `knn` serves both."""

import torch

from isopts.kernels.backends import import_backend
from isopts.kernels.neighbors.candidates import rank_candidates
from isopts.kernels.neighbors.result import Neighbors


def neighbors_torch_cluster(queries: torch.Tensor, points: torch.Tensor, radius: float, k: int) -> Neighbors:
    """`knn(x, y, k)` gives edges (2, E): row 0 the query in y, row 1 the point in x."""
    k_found = min(k, len(points))
    query, point = import_backend("torch_cluster").knn(points.contiguous(), queries.contiguous(), k_found)
    order = query.argsort(stable=True)
    query, point = query[order], point[order]
    counts = torch.bincount(query, minlength=len(queries))
    place = torch.arange(len(query), device=query.device) - (counts.cumsum(0) - counts)[query]
    candidates = torch.full((len(queries), k_found), -1, dtype=torch.int64, device=queries.device)
    candidates[query, place] = point
    return rank_candidates(queries, points, candidates, radius, k)
