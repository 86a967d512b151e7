"""`isopts fit-points`: a surface from a point cloud."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from isopts.cli import fit_options as options
from isopts.cli.fit_result import print_result
from isopts.cli.options import Device, Json, Overrides, Quiet
from isopts.cli.quick_imports import quick_imports
from isopts.cli.threads import Threads
from isopts.errors import InputError

if TYPE_CHECKING:
    from isopts.fit.clouds.config import PointsConfig


def fit_points(
    scan: options.Scan,
    output: options.RunOutput = None,
    preset: options.PresetName = None,
    config: options.Config = None,
    overrides: Overrides = None,
    open_: options.OpenSurface = False,
    decoder: options.Decoder = None,
    ear: options.EdgeAware = False,
    denoise_normal: options.DenoiseNormal = False,
    use_off_normal_loss: options.OffNormalLoss = False,
    use_sal_loss: options.SalLoss = False,
    exit_after: options.ExitAfter = None,
    resume: options.Resume = False,
    overwrite: options.Overwrite = False,
    seed: options.FitSeed = None,
    device: Device = "auto",
    threads: Threads = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit a signed distance field to a point cloud and write mesh, iso-points, checkpoint and preview.

    Example:  isopts fit-points scan122.ply

    Example:  isopts fit-points scan122.ply --preset preview --open

    Example:  isopts fit-points scan122.ply --config points_paper --exit-after 600 -o runs/paper
    """
    started = time.monotonic()
    with quick_imports():
        from isopts.cli.device import choose_device
        from isopts.cli.progress import FitProgress
        from isopts.cli.threads import use_threads
        from isopts.fit.conduct import FitRun
        from isopts.fit.points import fit_points as fit
        from isopts.run.interruption import stop_requests

    flags = {
        "output.open=true": open_,
        f"field.decoder={decoder}": decoder is not None,
        "isopoints.extraction.edge_aware={}": ear,
        "prepare.denoise_normals=true": denoise_normal,
        "losses.off_normal=2.0": use_off_normal_loss,
        "losses.sal=10.0": use_sal_loss,
        "sampling.signed=2048": use_sal_loss,
        f"seed={seed}": seed is not None,
    }
    changes = [change for change, given in flags.items() if given] + (overrides or [])
    folder = output or Path("runs") / scan.stem
    settings = _settings(preset, config, changes, folder if resume else None)
    run = FitRun(scan, folder, choose_device(device), overwrite, resume, exit_after, started)
    with FitProgress(quiet) as progress, stop_requests() as stop:
        progress.on_note(use_threads(threads, settings.field.decoder))
        result = fit(run, settings, progress.on_step, progress.on_note, lambda: stop.requested)
    print_result(result, as_json)
    raise typer.Exit(stop.exit_code)


def _settings(
    preset: options.Preset | None, config: str | None, changes: list[str], resumed: Path | None
) -> "PointsConfig":
    """The configuration that the options ask for; that of the run in the folder `resumed` when they ask for none."""
    from isopts.config import load_config
    from isopts.fit.clouds.config import PointsConfig
    from isopts.fit.resume import stored_config

    if preset and config:
        raise InputError(f"--preset {preset.value} and --config {config} both name a configuration; give one of them.")
    if resumed and not (preset or config or changes):
        return stored_config(resumed, PointsConfig, "fit-points")
    return load_config(PointsConfig, config or (preset or options.Preset.DEFAULT).config, changes)
