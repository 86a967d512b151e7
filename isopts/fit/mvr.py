"""fit-mvr: from posed images on disk to a finished run folder."""

import hashlib
import time
from collections.abc import Callable
from contextlib import ExitStack

import torch

from isopts.data.point_cloud import PointCloud
from isopts.data.posed_views import PosedViews
from isopts.fit.conduct import FitRun, RunInProgress, conduct
from isopts.fit.result import FitResult
from isopts.fit.resume import continued_run
from isopts.fit.starts.hull import wrong_masks
from isopts.fit.views.config import MvrConfig
from isopts.fit.views.mask_offset import mask_offset, offset_note, stored_mask_offset
from isopts.fit.views.prepared_views import PreparedViews, prepare_views
from isopts.fit.views.session import COMMAND, MvrSession
from isopts.kernels.backends import record_backends
from isopts.run.checkpoint import Checkpoint
from isopts.run.folder import RunFolder
from isopts.run.log import StepReport
from isopts.run.provenance import file_sha256


def fit_mvr(
    run: FitRun,
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
    began = time.monotonic() if run.started is None else run.started
    stopwatch = run.stopwatch()
    RunFolder.require_free(run.output, run.overwrite, run.resume)
    with record_backends() as backends, ExitStack() as opened:
        with stopwatch.stage("read"):
            generator = torch.Generator().manual_seed(config.seed)
            views = prepare_views(run.input, config.data, run.device, generator, config.data.mask_offset or 0.0)
            sha256 = views_sha256(views.source, views.given_points)
        checkpoint = None
        if run.resume:
            folder = opened.enter_context(RunFolder.open(run.output, run.overwrite, resume=True))
            config, checkpoint = continued_run(folder, config, COMMAND, sha256)
        with stopwatch.stage("start"):
            views = _with_mask_offset(views, run, config, checkpoint, generator)
            for note in views.notes:
                on_note(note)
            if not run.resume:  # not before the images are known to be usable: a run that is there may be replaced now
                folder = opened.enter_context(RunFolder.open(run.output, run.overwrite))
            session = MvrSession(config, views, folder, checkpoint, began)
        on_note(session.summary())
        record = run.record(COMMAND, config.seed, views.frame, sha256, backends)
        in_progress = RunInProgress(folder, config, record, stopwatch, backends, run.exit_after)
        return conduct(session, in_progress, on_step, stop)


def _with_mask_offset(
    views: PreparedViews, run: FitRun, config: MvrConfig, checkpoint: Checkpoint | None, generator: torch.Generator
) -> PreparedViews:
    """`views` with their silhouettes where the object's are, if the configuration leaves that open: as in `checkpoint`,
    or by what the photographs say. generator: that which prepared them."""
    if config.data.mask_offset is not None:
        return views
    if checkpoint is not None:
        offset = stored_mask_offset(checkpoint, str(run.output))
    elif views.silhouettes is not None and config.start.init in ("auto", "hull") and not config.cameras.enabled:
        # of wrong cameras the hull is too small, anyway
        search = torch.Generator().manual_seed(config.seed)
        offset = mask_offset(views, wrong_masks(config.start, len(views.fitted)), search)
    else:
        offset = 0.0
    if offset == 0:
        return views
    views.notes.append(offset_note(offset))
    return views.with_mask_offset(offset, generator)


def views_sha256(views: PosedViews, points: PointCloud | None = None) -> str:
    """Of the cameras, of the names and bytes of all image and mask files, and of the points on the surface as given."""
    digest = hashlib.sha256()
    for tensor in (views.cameras.intrinsics, views.cameras.rotations, views.cameras.translations):
        digest.update(tensor.numpy().tobytes())
    for path in (*(posed.image for posed in views.photographs), *views.mask_files):
        digest.update(f"{path.name} {file_sha256(path)}\n".encode())
    if points is not None:
        digest.update(points.points.tobytes() + (b"" if points.normals is None else points.normals.tobytes()))
    return digest.hexdigest()
