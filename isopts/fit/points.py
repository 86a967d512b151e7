"""fit-points: from a scan on disk to a finished run folder."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from isopts.data.points import read_points
from isopts.fit.conduct import RunInProgress, conduct
from isopts.fit.flatness import describe_flatness
from isopts.fit.outputs import Stopwatch
from isopts.fit.points_config import PointsConfig
from isopts.fit.points_session import COMMAND, PointsSession
from isopts.fit.prepared_cloud import PreparedCloud, prepare_cloud
from isopts.fit.resolution import follow_noise
from isopts.fit.result import FitResult
from isopts.fit.resume import continued_run
from isopts.kernels.backends import record_backends
from isopts.run.folder import RunFolder
from isopts.run.log import StepReport
from isopts.run.provenance import command_line, device_name, file_sha256, versions
from isopts.run.record import RunRecord


@dataclass(frozen=True)
class PointsRun:
    """What to fit and where to write. exit_after: seconds of fitting, None without limit. started: time.monotonic()
    when the command began; what passed since then, mostly loading libraries, is reported as start-up."""

    input: Path
    output: Path
    device: torch.device
    overwrite: bool = False
    resume: bool = False
    exit_after: float | None = None
    started: float | None = None


def fit_points(
    run: PointsRun,
    config: PointsConfig,
    on_step: Callable[[StepReport], None],
    on_note: Callable[[str], None],
    stop: Callable[[], bool],
) -> FitResult:
    """Fit a field to the scan `run.input` and write the run folder `run.output`.

    A resumed run keeps the configuration in its folder, which `config` must equal (see isopts.fit.resume).

    Args:
        on_step: progress. on_note: sentences about the input. stop: polled every step; True ends the fit after a
            checkpoint, without mesh.

    Raises:
        InputError: unusable input or run folder, or a resumed run whose input has changed.
        ConfigError: a resumed run whose configuration has changed.
        DivergedError: the loss is not finite, or there is no surface.
    """
    stopwatch = Stopwatch({} if run.started is None else {"start-up": round(time.monotonic() - run.started, 3)})
    with record_backends() as backends:
        with stopwatch.stage("read"):
            cloud, report = read_points(run.input)
            sha256 = file_sha256(run.input)
        folder = RunFolder.open(run.output, run.overwrite, run.resume)
        checkpoint = None
        if run.resume:
            config, checkpoint = continued_run(folder, config, COMMAND, sha256)
        with stopwatch.stage("prepare"):
            prepared = prepare_cloud(cloud, config.prepare, run.device)
            flatness = describe_flatness(prepared.points)
            if not run.resume:
                config = follow_noise(config, prepared)
            session = PointsSession(config, prepared, folder, checkpoint)
        for note in [*report.sentences(), *prepared.notes, None if config.output.open else flatness, session.summary()]:
            if note is not None:
                on_note(note)
        record = _record(run, config, prepared, sha256, backends)
        in_progress = RunInProgress(folder, config, record, stopwatch, backends, run.exit_after)
        return conduct(session, in_progress, on_step, stop)


def _record(
    run: PointsRun, config: PointsConfig, cloud: PreparedCloud, sha256: str, backends: dict[str, str]
) -> RunRecord:
    return RunRecord(
        command=COMMAND,
        command_line=command_line(),
        versions=versions(),
        seed=config.seed,
        device=str(run.device),
        device_name=device_name(run.device),
        threads=torch.get_num_threads(),
        kernel_backends=backends,
        input=str(run.input),
        input_sha256=sha256,
        frame=cloud.frame,
    )
