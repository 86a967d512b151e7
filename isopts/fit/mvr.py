"""fit-mvr: from posed images on disk to a finished run folder."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from isopts.data.posed_views import PosedViews
from isopts.fit.conduct import RunInProgress, conduct
from isopts.fit.mvr_config import MvrConfig
from isopts.fit.mvr_session import COMMAND, MvrSession
from isopts.fit.outputs import Stopwatch
from isopts.fit.prepared_views import PreparedViews, prepare_views
from isopts.fit.result import FitResult
from isopts.fit.resume import continued_run
from isopts.kernels.backends import record_backends
from isopts.run.folder import RunFolder
from isopts.run.log import StepReport
from isopts.run.provenance import command_line, device_name, file_sha256, versions
from isopts.run.record import RunRecord


@dataclass(frozen=True)
class MvrRun:
    """What to fit and where to write. exit_after: seconds of fitting, None without limit. started: time.monotonic()
    when the command began; what passed since then, mostly loading libraries, is reported as start-up."""

    input: Path
    output: Path
    device: torch.device
    overwrite: bool = False
    resume: bool = False
    exit_after: float | None = None
    started: float | None = None


def fit_mvr(
    run: MvrRun,
    config: MvrConfig,
    on_step: Callable[[StepReport], None],
    on_note: Callable[[str], None],
    stop: Callable[[], bool],
) -> FitResult:
    """Fit a signed distance and a colour field to the posed images `run.input` and write the run folder `run.output`.

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
    RunFolder.require_free(run.output, run.overwrite, run.resume)
    with record_backends() as backends:
        with stopwatch.stage("read"):
            generator = torch.Generator().manual_seed(config.seed)
            views = prepare_views(run.input, config.data, run.device, generator)
            sha256 = views_sha256(views.source)
        folder = RunFolder.open(run.output, run.overwrite, run.resume)
        checkpoint = None
        if run.resume:
            config, checkpoint = continued_run(folder, config, COMMAND, sha256)
        for note in views.notes:
            on_note(note)
        with stopwatch.stage("start"):
            session = MvrSession(config, views, folder, checkpoint)
        on_note(session.summary())
        record = _record(run, config, views, sha256, backends)
        in_progress = RunInProgress(folder, config, record, stopwatch, backends, run.exit_after)
        return conduct(session, in_progress, on_step, stop)


def views_sha256(views: PosedViews) -> str:
    """Of the cameras, and of the names and bytes of all image and mask files."""
    digest = hashlib.sha256()
    for tensor in (views.cameras.intrinsics, views.cameras.rotations, views.cameras.translations):
        digest.update(tensor.numpy().tobytes())
    for path in (*(posed.image for posed in views.photographs), *views.mask_files):
        digest.update(f"{path.name} {file_sha256(path)}\n".encode())
    return digest.hexdigest()


def _record(run: MvrRun, config: MvrConfig, views: PreparedViews, sha256: str, backends: dict[str, str]) -> RunRecord:
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
        frame=views.frame,
    )
