"""Neighbours by FRNN, a fixed-radius search in a uniform grid on CUDA; exact nearest ones by growing the radius."""

import math
from types import ModuleType

import torch

from isopts.errors import BackendError
from isopts.kernels.backends import import_backend
from isopts.kernels.neighbors.candidates import rank_candidates
from isopts.kernels.neighbors.result import Neighbors

_MARGIN = 1.0 + 1e-5  # FRNN excludes its radius and rounds to float32; `rank_candidates` applies the exact one


def neighbors_frnn(queries: torch.Tensor, points: torch.Tensor, radius: float, k: int) -> Neighbors:
    """See fixed_radius_neighbors. Raises BackendError when FRNN is absent or the points are not on CUDA."""
    frnn = import_backend("frnn")
    if queries.device.type != "cuda":
        raise BackendError(f"backend 'frnn' works on CUDA only, the points are on {queries.device}; use 'auto'")
    return search_with_frnn(frnn, queries, points, radius, k)


def search_with_frnn(frnn: ModuleType, queries: torch.Tensor, points: torch.Tensor, radius: float, k: int) -> Neighbors:
    """FRNN works in float32: float64 points are centred first, their distances computed again in float64."""
    center = points.mean(dim=0)
    local_queries, local_points = ((cloud - center).to(torch.float32) for cloud in (queries, points))
    found = min(k, len(points))
    if math.isfinite(radius):
        candidates = _inside(frnn, local_queries, local_points, radius, found)
    else:
        candidates = _grow(frnn, local_queries, local_points, found)
    return rank_candidates(queries, points, candidates, radius, k)


def _inside(frnn: ModuleType, queries: torch.Tensor, points: torch.Tensor, radius: float, k: int) -> torch.Tensor:
    return frnn.frnn_grid_points(queries[None], points[None], K=k, r=float(radius) * _MARGIN)[1][0]


def _grow(frnn: ModuleType, queries: torch.Tensor, points: torch.Tensor, k: int) -> torch.Tensor:
    """Double the radius for the queries with fewer than k points inside, until it spans everything."""
    both = torch.cat([queries, points])
    diagonal = float((both.amax(dim=0) - both.amin(dim=0)).norm())
    if diagonal == 0:  # all points equal: the first k are the nearest
        return torch.arange(k, device=queries.device).expand(len(queries), k).contiguous()
    radius = diagonal * math.sqrt(k / len(points)) / 2  # about k points of a surface
    candidates = torch.full((len(queries), k), -1, dtype=torch.int64, device=queries.device)
    unfinished = torch.arange(len(queries), device=queries.device)
    while len(unfinished):
        candidates[unfinished] = _inside(frnn, queries[unfinished], points, radius, k)
        if radius > diagonal:
            break
        unfinished = unfinished[candidates[unfinished, -1] < 0]
        radius *= 2
    return candidates
