"""Schedules: pure functions of the step."""

from collections.abc import Sequence


def warm_up(step: int, steps: int) -> float:
    """Factor that rises linearly to 1 at `steps` (counted from 1)."""
    return min(1.0, step / steps) if steps > 0 else 1.0


def exponential_decay(step: int, total_steps: int, start: float, final: float) -> float:
    """Factor that is 1 until the share `start` of the steps, then falls exponentially to `final` at the last."""
    progress = (step / total_steps - start) / (1 - start)
    return final ** min(1.0, max(0.0, progress))


def halvings(step: int, milestones: Sequence[int]) -> float:
    """Factor that is halved after each milestone."""
    return 0.5 ** sum(step > milestone for milestone in milestones)


def is_due(step: int, first: int, every: int) -> bool:
    """Whether something is done at `step`: at `first` and then at every `every` steps; never when `every` is 0."""
    return every > 0 and step >= first and (step - first) % every == 0
