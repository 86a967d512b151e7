"""Which pixels of a picture need more than one ray."""

import torch

QUARTERS = torch.tensor([[-0.25, -0.25], [-0.25, 0.25], [0.25, -0.25], [0.25, 0.25]])
"""(4, 2): the middles of a pixel's quarters, from its own middle."""


def differs_from_neighbor(picture: torch.Tensor, step: float) -> torch.Tensor:
    """(H, W) bool: a neighbour to the left, right, above or below differs by more than `step` in a channel.

    picture: (H, W, C).
    """
    rows = (picture[1:] - picture[:-1]).abs().amax(dim=-1) > step
    columns = (picture[:, 1:] - picture[:, :-1]).abs().amax(dim=-1) > step
    differs = torch.zeros(picture.shape[:2], dtype=torch.bool)
    differs[1:] |= rows
    differs[:-1] |= rows
    differs[:, 1:] |= columns
    differs[:, :-1] |= columns
    return differs
