"""Schedules: pure functions of the step."""

import math
from collections.abc import Sequence


def warm_up(step: int, steps: int) -> float:
    """Factor that rises linearly to 1 at `steps` (counted from 1)."""
    return min(1.0, step / steps) if steps > 0 else 1.0


def exponential_decay(progress: float, start: float, final: float) -> float:
    """Factor that is 1 until the share `start` of a fit is done, then falls exponentially to `final` at its end."""
    return final ** min(1.0, max(0.0, (progress - start) / (1 - start)))


def exponential_change(progress: float, first: float, last: float) -> float:
    """From `first` at the start of a fit to `last` at its end, by equal factors; both positive."""
    return first * (last / first) ** progress


def doublings(progress: float, first: float, last: float) -> float:
    """`first`, doubled at equal intervals until it is `last`, reached before the last of them: 5, 10, 20, ... 100."""
    times = math.ceil(math.log2(last / first)) if last > first else 0
    return min(last, first * 2.0 ** int(progress * (times + 1))) if times else first


def linear_change(progress: float, first: float, last: float) -> float:
    """From `first` at the start of a fit to `last` at its end."""
    return first + (last - first) * progress


def stage(progress: float, ends: Sequence[float]) -> int:
    """How many of the shares `ends` (rising) are behind."""
    return sum(progress >= end for end in ends)


def halvings(step: int, milestones: Sequence[int]) -> float:
    """Factor that is halved after each milestone."""
    return 0.5 ** sum(step > milestone for milestone in milestones)


def is_due(step: int, first: int, every: int) -> bool:
    """Whether something is done at `step`: at `first` and then at every `every` steps; never when `every` is 0."""
    return every > 0 and step >= first and (step - first) % every == 0
