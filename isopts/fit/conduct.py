"""What every fit does around its steps: record, configuration, status, outputs."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from pydantic import BaseModel

from isopts.config import dump_config
from isopts.errors import DivergedError
from isopts.fit.fitted.outputs import Stopwatch
from isopts.fit.loop import EndReason
from isopts.fit.result import FitResult
from isopts.geometry.frames import WorldToUnit
from isopts.kernels.launch import thread_count
from isopts.run.atomic import replacing
from isopts.run.folder import RunFolder
from isopts.run.log import StepReport
from isopts.run.provenance import command_line, device_name, printable, versions
from isopts.run.record import RunRecord, Status


class Session(Protocol):
    """One fit, new or continued."""

    step: int
    """Finished steps."""

    def run(
        self, exit_after: float | None, on_step: Callable[[StepReport], None], stop: Callable[[], bool]
    ) -> tuple[int, EndReason]:
        """Step until done, `exit_after` seconds at most."""

    def write_outputs(self, step: int, stopwatch: Stopwatch) -> dict[str, float | int]:
        """Mesh and the like; returns the metrics."""


@dataclass(frozen=True)
class FitRun:
    """What to fit and where to write. exit_after: seconds of fitting, None without limit. started: time.monotonic()
    when the command began; what passed since then, mostly loading libraries, is reported as start-up."""

    input: Path
    output: Path
    device: torch.device
    overwrite: bool = False
    resume: bool = False
    exit_after: float | None = None
    started: float | None = None

    def stopwatch(self) -> Stopwatch:
        """One that has run since the command began."""
        return Stopwatch({} if self.started is None else {"start-up": round(time.monotonic() - self.started, 3)})

    def record(
        self, command: str, seed: int, frame: WorldToUnit, sha256: str, backends: Mapping[str, str]
    ) -> RunRecord:
        """run.json before the first step. frame: of the fit. sha256: of the input. backends: op -> backend so far."""
        return RunRecord(
            command=command,
            command_line=command_line(),
            versions=versions(),
            seed=seed,
            device=str(self.device),
            device_name=device_name(self.device),
            threads=thread_count(),
            kernel_backends=dict(backends),
            input=printable(str(self.input)),
            input_sha256=sha256,
            frame=frame,
        )


@dataclass(frozen=True)
class RunInProgress:
    """What is known of a run before its first step. backends: op -> backend, filled while the run goes on.
    exit_after: seconds of fitting, None without limit."""

    folder: RunFolder
    config: BaseModel
    record: RunRecord
    stopwatch: Stopwatch
    backends: Mapping[str, str]
    exit_after: float | None

    def close(self, status: Status, step: int) -> None:
        """Write run.json as the run ends."""
        ended = {"status": status, "step": step, "seconds": self.stopwatch.seconds, "kernel_backends": self.backends}
        self.folder.write_record(self.record.model_copy(update=ended))


def conduct(
    session: Session, run: RunInProgress, on_step: Callable[[StepReport], None], stop: Callable[[], bool]
) -> FitResult:
    """Run `session` and keep the folder's record true, however it ends.

    Raises:
        DivergedError: the loss is not finite, or there is no surface.
    """
    folder, stopwatch = run.folder, run.stopwatch
    folder.write_record(run.record)  # first: it is what makes the folder a run, to be resumed or overwritten
    with replacing(folder.config) as temporary:
        temporary.write_text(dump_config(run.config), encoding="utf-8")
    try:
        with stopwatch.stage("fit"):
            step, reason = session.run(run.exit_after, on_step, stop)
        if reason == "interrupted":
            run.close("interrupted", step)
            return FitResult(folder, reason, step, {}, stopwatch.seconds)
        metrics = session.write_outputs(step, stopwatch)
    except DivergedError:
        run.close("diverged", session.step)
        raise
    if stop():  # all is written, but colours that were asked to end are those of before
        reason = "interrupted"
    run.close("interrupted" if reason == "interrupted" else "finished", step)
    return FitResult(folder, reason, step, metrics, stopwatch.seconds)
