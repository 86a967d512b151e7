"""The definition of the search: every distance, sorted."""

import torch

from isopts.kernels.neighbors.result import Neighbors

_CHUNK = 1 << 22  # distances held at a time


def neighbors_reference(queries: torch.Tensor, points: torch.Tensor, radius: float, k: int) -> Neighbors:
    """The up to k points (N, 3) nearest to each query (Q, 3) and no farther than `radius` (inclusive)."""
    indices = torch.full((len(queries), k), -1, dtype=torch.int64, device=queries.device)
    squared_distances = queries.new_full((len(queries), k), -1.0)
    found = min(k, len(points))
    if found == 0:
        return Neighbors(indices, squared_distances)
    rows = max(1, _CHUNK // len(points))
    for chunk in range(0, len(queries), rows):
        part = slice(chunk, chunk + rows)
        difference = queries[part, None] - points[None]
        distances, order = difference.square().sum(dim=-1).sort(dim=1, stable=True)
        distances, order = distances[:, :found], order[:, :found]
        inside = distances <= radius * radius
        indices[part, :found] = torch.where(inside, order, -1)
        squared_distances[part, :found] = torch.where(inside, distances, -1.0)
    return Neighbors(indices, squared_distances)
