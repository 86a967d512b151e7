"""Other libraries select a point again once all remaining ones coincide with selected ones."""

import torch


def without_repeats(selected: torch.Tensor, points: int, count: int) -> torch.Tensor:
    """The first occurrence of each index, then the unselected of 0 ... points-1 in order, `count` in all."""
    first = torch.full((points,), len(selected), dtype=torch.int64, device=selected.device)
    places = torch.arange(len(selected), device=selected.device)
    first.scatter_reduce_(0, selected, places, "amin")
    return torch.argsort(first, stable=True)[:count]
