"""What a choice of views is made by, and the choice, as values."""

from typing import NamedTuple

import torch


class ViewChoiceLimits(NamedTuple):
    """top: the reference is one of so many views of largest cosine. sources: views to compare it with.
    reference_cosine_min, source_cosine_min: least cosine between normal and viewing direction; lower ones use more
    oblique views. baseline_min_degrees, baseline_max_degrees: angle at the point between the directions to the centres
    of the reference and a source: narrower ones say little of depth, wider ones look different. top and sources are
    1 ... 8."""

    top: int = 3
    sources: int = 4
    reference_cosine_min: float = 0.25
    source_cosine_min: float = 0.5
    baseline_min_degrees: float = 5.0
    baseline_max_degrees: float = 40.0


class ViewChoice(NamedTuple):
    """references: (N,) int32. sources: (N, S) int32, the best first. -1: none."""

    references: torch.Tensor
    sources: torch.Tensor
