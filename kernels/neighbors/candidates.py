"""From the neighbours that another library proposes to the result that this package promises."""

import torch

from isopts.kernels.neighbors.result import Neighbors


def rank_candidates(
    queries: torch.Tensor, points: torch.Tensor, candidates: torch.Tensor, radius: float, k: int
) -> Neighbors:
    """Measure, sort and pad the candidates (Q, C) int64, -1 where there is none, C at most k.

    Distances are computed again from the points, in their dtype, so that order and radius do not depend on the
    library. Which of equally distant points are among the k nearest is the library's choice.
    """
    candidates = torch.nn.functional.pad(candidates, (0, k - candidates.shape[1]), value=-1)
    difference = queries[:, None] - points[candidates.clamp_min(0)]
    distances = difference.square().sum(dim=-1)
    absent = (candidates < 0) | (distances > radius * radius)
    distances = distances.masked_fill(absent, torch.inf)
    by_index = candidates.masked_fill(absent, len(points)).argsort(dim=1)
    order = by_index.gather(1, distances.gather(1, by_index).argsort(dim=1, stable=True))
    absent = absent.gather(1, order)
    indices = candidates.gather(1, order).masked_fill(absent, -1)
    return Neighbors(indices, distances.gather(1, order).masked_fill(absent, -1.0))
