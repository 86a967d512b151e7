"""What a search for neighbours returns."""

from typing import NamedTuple

import torch


class Neighbors(NamedTuple):
    """The neighbours of each query, nearest first, equally distant ones in the order of their indices.

    indices: (Q, K) int64 into the searched points, -1 where there are fewer than K.
    squared_distances: (Q, K) in the dtype of the queries, -1 where absent. Carries no gradient: compute the
        distance from the points again where one is needed.
    """

    indices: torch.Tensor
    squared_distances: torch.Tensor
