"""Progress of a fit on stderr: a live bar on a terminal, now and then a plain line elsewhere."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

if TYPE_CHECKING:
    from isopts.run.log import StepReport

_SECONDS_BETWEEN_LINES = 10.0


class FitProgress:
    """Context manager around a fit, whose callbacks are `on_step` and `on_note`. Silent when `quiet`."""

    def __init__(self, quiet: bool, console: Console | None = None, clock: Callable[[], float] = time.monotonic):
        self._console = console or Console(stderr=True, quiet=quiet)
        self._clock = clock
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._task = self._bar.add_task("fit", total=None)
        self._live = Live(self._bar, console=self._console) if self._console.is_terminal and not quiet else None
        self._first: tuple[int, float] | None = None  # step and time of the first report: a resumed fit starts late
        self._line_due = float("-inf")

    def __enter__(self) -> "FitProgress":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def on_note(self, sentence: str) -> None:
        """Show a sentence that stays."""
        self._console.print(sentence, markup=False, highlight=False, soft_wrap=True)

    def on_step(self, report: "StepReport") -> None:
        """Show where the fit is."""
        if report.message:
            self.on_note(report.message)
        if self._live is not None:
            self._bar.update(self._task, completed=report.step, total=report.total_steps)
            self._live.update(Group(self._bar, Text(describe_losses(report), style="dim")))
            return
        now = self._clock()
        self._first = self._first or (report.step, now)
        if now >= self._line_due or report.step == report.total_steps:
            self._line_due = now + _SECONDS_BETWEEN_LINES
            left = self._remaining_seconds(report, now)
            self.on_note(f"step {report.step}/{report.total_steps}{left}, {describe_losses(report)}")

    def _remaining_seconds(self, report: "StepReport", now: float) -> str:
        first_step, first_time = self._first or (report.step, now)
        if report.step == first_step or report.step == report.total_steps:
            return ""
        seconds = (now - first_time) / (report.step - first_step) * (report.total_steps - report.step)
        return f", {seconds:.0f} s left"


def describe_losses(report: "StepReport") -> str:
    """Every loss term and the number of iso-points, on one line."""
    terms = [f"{name} {value:.3g}" for name, value in report.losses.items()]
    return ", ".join([*terms, f"{report.isopoints:,} iso-points"])
