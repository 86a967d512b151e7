"""Fewer steps for a fit whose loss has settled early."""

import math

import torch

from isopts.errors import InputError


class Settling:
    """How many steps a fit takes: all that were planned, or fewer when the loss settles while the rates are still high.

    The loss of the scan is averaged over windows. When two windows in a row differ by less than `tolerance` (relative,
    either way), what is left is the scan's noise, and the decay of the rates begins at once. It then takes as much
    less time as the steps before it: the share of the steps before the decay stays the same. Without noise the loss
    keeps falling, or jumps with the rates; neither is settled.
    """

    def __init__(self, planned_steps: int, decay_start: float, window_steps: int, tolerance: float):
        """decay_start: share of the steps before the decay. tolerance: 0 never settles."""
        self.total_steps = planned_steps
        self._decay_start = decay_start
        self._window = window_steps
        self._tolerance = tolerance
        self._sum, self._previous_mean = 0.0, math.inf

    def observe(self, step: int, loss: float) -> bool:
        """Take note of the loss of the scan at `step`, each step once and in order; whether it settled just now."""
        if self._tolerance == 0 or step >= self._decay_start * self.total_steps:
            return False
        self._sum += loss
        if step % self._window:
            return False
        mean, previous = self._sum / self._window, self._previous_mean
        self._sum, self._previous_mean = 0.0, mean
        if abs(previous - mean) >= self._tolerance * mean:
            return False
        self.total_steps = math.ceil(step / self._decay_start)
        return True

    def state(self) -> torch.Tensor:
        """(3,) float64, for `restore` after a restart."""
        return torch.tensor([self.total_steps, self._sum, self._previous_mean], dtype=torch.float64)

    def restore(self, state: torch.Tensor) -> None:
        """Continue where `state` was taken. Raises InputError when it is none of this fit's."""
        total_steps, self._sum, self._previous_mean = state.tolist()
        if not 1 <= total_steps <= self.total_steps:
            raise InputError(
                f"The checkpoint is damaged: it plans {total_steps:g} steps, the configuration {self.total_steps}; "
                "start the run again with --overwrite."
            )
        self.total_steps = int(total_steps)
