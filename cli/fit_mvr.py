"""`isopts fit-mvr`: a surface from posed, masked images."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from isopts.cli import fit_options as options
from isopts.cli import views_options
from isopts.cli.fit_result import print_result
from isopts.cli.options import Device, Json, Overrides, Quiet
from isopts.cli.threads import Threads
from isopts.errors import InputError

if TYPE_CHECKING:
    from isopts.fit.views.config import MvrConfig


def fit_mvr(
    views_dir: views_options.OptionalViews = None,
    output: options.RunOutput = None,
    config: options.MvrConfigName = None,
    overrides: Overrides = None,
    budget: options.BudgetSeconds = None,
    holdout: views_options.Holdout = None,
    view_format: views_options.Format = None,
    mask_from: views_options.MaskFrom = None,
    mask_threshold: views_options.Threshold = None,
    invert_masks: views_options.InvertMasks = False,
    no_masks: views_options.NoMasks = False,
    prior: views_options.Prior = None,
    sphere: views_options.SphereOption = None,
    refine_cameras: options.RefineCameras = False,
    exit_after: options.ExitAfter = None,
    resume: options.Resume = False,
    overwrite: options.Overwrite = False,
    seed: options.FitSeed = None,
    device: Device = "auto",
    threads: Threads = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit a signed distance field and its colours to posed images; write mesh, iso-points, checkpoint, preview.

    The object is what the masks show, or with --no-masks what is in the region of interest.

    Example:  isopts fit-mvr scan65

    Example:  isopts fit-mvr --config dtu55.yml

    Example:  isopts fit-mvr dinoSparseRing --mask-from black --budget 120 --holdout 0,8

    Example:  isopts fit-mvr colmap_folder --no-masks
    """
    started = time.monotonic()
    from isopts.cli.device import choose_device
    from isopts.cli.progress import FitProgress
    from isopts.cli.threads import use_threads
    from isopts.fit.conduct import FitRun
    from isopts.fit.mvr import fit_mvr as fit
    from isopts.run.interruption import stop_requests

    reading = views_options.views_settings(view_format, mask_from, mask_threshold, invert_masks, sphere, no_masks)
    given: dict[str, Any] = {f"data.views.{key}": value for key, value in reading.items()}
    given |= {"data.holdout": views_options.view_numbers("--holdout", holdout), "fit.seconds": budget, "seed": seed}
    given["data.prior"] = None if prior is None else str(prior)
    given |= {"cameras.enabled": refine_cameras or None}
    changes = [f"{key}={json.dumps(value)}" for key, value in given.items() if value is not None] + (overrides or [])
    folder = output or Path("runs") / _name(views_dir, config)
    settings = _settings(config, changes, views_dir, folder if resume else None)
    images = views_dir or Path(settings.data.path)  # a run that is resumed may be given others, which is refused
    run = FitRun(images, folder, choose_device(device), overwrite, resume, exit_after, started)
    with FitProgress(quiet) as progress, stop_requests() as stop:
        progress.on_note(use_threads(threads, settings.field.decoder))
        result = fit(run, settings, progress.on_step, progress.on_note, lambda: stop.requested)
    print_result(result, as_json)
    raise typer.Exit(stop.exit_code)


def _name(views_dir: Path | None, config: str | None) -> str:
    """Of the default run folder."""
    if views_dir is None:
        return Path(config or "mvr_fast").stem
    path = views_dir.resolve()
    return path.name if path.is_dir() else path.stem


def _settings(config: str | None, changes: list[str], views_dir: Path | None, resumed: Path | None) -> "MvrConfig":
    """The configuration that the options ask for; that of the run in the folder `resumed` when they ask for none.
    Files have whole paths, so that the run's own configuration repeats it from any folder."""
    from isopts.config import load_config
    from isopts.fit.resume import stored_config
    from isopts.fit.views.config import MvrConfig

    if resumed and not (config or changes):
        return stored_config(resumed, MvrConfig, "fit-mvr")
    if views_dir is not None:
        changes = [f"data.path={json.dumps(str(views_dir))}", *changes]
    settings = load_config(MvrConfig, config or "mvr_fast", changes)
    if settings.data.path is None:
        raise InputError("No images: give their folder, or `data.path` in the configuration or with --set.")
    files = {"path": settings.data.path, "prior": settings.data.prior}
    whole = {key: str(Path(file).resolve()) for key, file in files.items() if file is not None}
    return settings.model_copy(update={"data": settings.data.model_copy(update=whole)})
