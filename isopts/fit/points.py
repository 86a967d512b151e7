"""fit-points: from a scan on disk to a finished run folder."""

from collections.abc import Callable
from contextlib import ExitStack

from isopts.data.points import read_points
from isopts.fit.clouds.config import PointsConfig
from isopts.fit.clouds.flatness import describe_flatness
from isopts.fit.clouds.prepared_cloud import prepare_cloud
from isopts.fit.clouds.resolution import follow_noise
from isopts.fit.clouds.session import COMMAND, PointsSession
from isopts.fit.conduct import FitRun, RunInProgress, conduct
from isopts.fit.result import FitResult
from isopts.fit.resume import continued_run
from isopts.kernels.backends import record_backends
from isopts.run.folder import RunFolder
from isopts.run.log import StepReport
from isopts.run.provenance import file_sha256


def fit_points(
    run: FitRun,
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
    stopwatch = run.stopwatch()
    RunFolder.require_free(run.output, run.overwrite, run.resume)
    with record_backends() as backends, ExitStack() as opened:
        with stopwatch.stage("read"):
            cloud, report = read_points(run.input)
            sha256 = file_sha256(run.input)
        checkpoint = None
        if run.resume:
            folder = opened.enter_context(RunFolder.open(run.output, run.overwrite, resume=True))
            config, checkpoint = continued_run(folder, config, COMMAND, sha256)
        with stopwatch.stage("prepare"):
            prepared = prepare_cloud(cloud, config.prepare, run.device)
            flatness = describe_flatness(prepared.points)
            if not run.resume:  # not before the scan is known to be usable: a run that is there may be replaced now
                folder = opened.enter_context(RunFolder.open(run.output, run.overwrite))
                config = follow_noise(config, prepared)
            session = PointsSession(config, prepared, folder, checkpoint)
        for note in [*report.sentences(), *prepared.notes, None if config.output.open else flatness, session.summary()]:
            if note is not None:
                on_note(note)
        record = run.record(COMMAND, config.seed, prepared.frame, sha256, backends)
        in_progress = RunInProgress(folder, config, record, stopwatch, backends, run.exit_after)
        return conduct(session, in_progress, on_step, stop)
