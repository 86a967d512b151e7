"""How long a fit lasts: a number of steps, or seconds."""

import time
from collections.abc import Callable

_SHARE_MIN = 0.3  # of a command's seconds that are for fitting, however long the rest takes
_AFTER_FIT = 5.5  # seconds, besides steps for colours: tracing their pixels, a view, the mesh


def fitting_seconds(total: float, spent: float, color_share: float) -> float:
    """Seconds of fitting after which the mesh is there `total` seconds after the command.

    spent: of them before the first step. color_share: seconds of colours for each of fitting, afterwards.
    """
    return max(_SHARE_MIN * total, (total - spent - _AFTER_FIT) / (1 + color_share))


def overrun_note(total: float, spent: float, fitting: float) -> str:
    """A sentence where `fitting` seconds, the least that there are, end later than asked; else nothing."""
    end = spent + fitting + _AFTER_FIT
    if end < total + 1:
        return ""
    return f"The budget of {total:g} s is too short: the mesh is there after {end:.0f} s or more."


class Budget:
    """Progress of a fit that ends after `steps`, or after `seconds` of fitting where these are given.

    With seconds a result depends on the machine and its load: schedules follow the clock.
    """

    def __init__(
        self,
        steps: int,
        seconds: float = 0.0,
        finished: tuple[int, float] = (0, 0.0),
        clock: Callable[[], float] = time.monotonic,
    ):
        """seconds: 0 counts steps. finished: steps and seconds of earlier processes."""
        self._steps, self._seconds, self._clock = steps, seconds, clock
        self._step, self._before = finished
        self._started = clock()

    def observe(self, step: int) -> None:
        """Take note that `step` is finished."""
        self._step = step

    def progress(self, step: int) -> float:
        """Share of the budget used at `step`, counted from 1; at most 1."""
        return min(1.0, self._elapsed() / self._seconds if self._seconds > 0 else step / self._steps)

    def total_steps(self) -> int:
        """Where the fit ends; an estimate, until it does, when seconds count."""
        if self._seconds <= 0:
            return self._steps
        elapsed = self._elapsed()
        if elapsed >= self._seconds:
            return self._step
        left = (self._seconds - elapsed) * self._step / max(elapsed, 1e-9)
        return self._step + max(1, round(left))

    def _elapsed(self) -> float:
        return self._before + self._clock() - self._started
