"""Inference with bounded memory."""

from collections.abc import Callable
from typing import TypeVar

import torch

Result = TypeVar("Result", torch.Tensor, tuple[torch.Tensor, ...])


@torch.no_grad()
def evaluate_in_chunks(
    function: Callable[[torch.Tensor], Result], points: torch.Tensor, chunk: int = 131_072
) -> Result:
    """Call `function` on runs of at most `chunk` points, without autograd.

    Args:
        function: a field's `value`, `value_and_gradient`, or anything that maps (n, 3) to one tensor (n, ...) or to
            a tuple of them, point by point.
        points: (N, 3).

    Returns:
        What `function(points)` would return.
    """
    if len(points) <= chunk:
        return function(points)
    results: list[torch.Tensor] = []
    single = False
    for begin in range(0, len(points), chunk):
        part = function(points[begin : begin + chunk])
        single = isinstance(part, torch.Tensor)
        parts = (part,) if single else part
        if begin == 0:
            results = [piece.new_empty((len(points), *piece.shape[1:])) for piece in parts]
        for result, piece in zip(results, parts, strict=True):
            result[begin : begin + chunk] = piece
    return results[0] if single else tuple(results)
