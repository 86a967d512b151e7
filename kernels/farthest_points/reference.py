"""The definition of farthest-point sampling: one pass over all points for each selection."""

import torch


def farthest_points_reference(points: torch.Tensor, count: int, start: int) -> torch.Tensor:
    """Indices (count,) int64: `start`, then each time the point farthest from those selected, the first of equals.

    A selected point counts as less than any distance, so that none is selected twice where points are equal.
    """
    selected = torch.full((count,), start, dtype=torch.int64, device=points.device)
    distances = points.new_full((len(points),), torch.inf)
    for step in range(1, count):
        last = selected[step - 1]
        distances = torch.minimum(distances, (points - points[last]).square().sum(dim=1))
        distances[last] = -1.0
        farthest = distances.max()
        selected[step] = (distances == farthest).int().argmax()  # the first: max() over a dimension may give any
    return selected
