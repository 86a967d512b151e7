"""`isopts fit-points`: a surface from a point cloud."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isopts.cli.options import Device, Json, Overrides, Quiet
from isopts.cli.threads import Threads

if TYPE_CHECKING:
    from isopts.fit.result import FitResult


def fit_points(
    scan: Annotated[Path, typer.Argument(help="Point cloud: PLY, XYZ, NPY, or the vertices of an OBJ or OFF.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Run folder.", show_default="runs/<name of the scan>")
    ] = None,
    config: Annotated[
        str | None, typer.Option(help="points_fast, points_paper or a YAML file.", show_default="points_fast")
    ] = None,
    overrides: Overrides = None,
    decoder: Annotated[str | None, typer.Option(help="Network: grid, siren or sdf.", show_default=False)] = None,
    ear: Annotated[bool, typer.Option("--ear", help="Up-sample the iso-points towards edges.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Cut the surface where the scan ends; no lids.")] = False,
    denoise_normal: Annotated[
        bool, typer.Option("--denoise-normal", help="Filter the scan's normals before the fit.")
    ] = False,
    use_off_normal_loss: Annotated[
        bool, typer.Option("--use-off-normal-loss", help="Early on, turn gradients along the nearest normals.")
    ] = False,
    use_sal_loss: Annotated[
        bool, typer.Option("--use-sal-loss", help="Also fit the unsigned distance away from the scan.")
    ] = False,
    exit_after: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="End the fit after this time.", show_default=False)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in the run folder.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in the run folder.")] = False,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**63 - 1, help="Seed of every random choice.", show_default="0")
    ] = None,
    device: Device = "auto",
    threads: Threads = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit a signed distance field to a point cloud and write mesh, iso-points, checkpoint and preview.

    Example:  isopts fit-points scan122.ply

    Example:  isopts fit-points scan122.ply --config points_paper --exit-after 600 -o runs/paper
    """
    from isopts.cli.device import choose_device
    from isopts.cli.progress import FitProgress
    from isopts.cli.threads import use_threads
    from isopts.config import load_config
    from isopts.fit.points import PointsRun
    from isopts.fit.points import fit_points as fit
    from isopts.fit.points_config import PointsConfig
    from isopts.fit.resume import stored_config
    from isopts.run.interruption import stop_requests

    flags = {
        f"field.decoder={decoder}": decoder is not None,
        "isopoints.extraction.edge_aware={angle_degrees: 20.0, repulsion: 0.4}": ear,
        "output.open=true": open_,
        "prepare.denoise_normals=true": denoise_normal,
        "losses.off_normal=2.0": use_off_normal_loss,
        "losses.sal=10.0": use_sal_loss,
        "sampling.signed=2048": use_sal_loss,
        f"seed={seed}": seed is not None,
    }
    changes = [key for key, given in flags.items() if given] + (overrides or [])
    folder = output or Path("runs") / scan.stem
    if resume and not (config or changes):
        settings = stored_config(folder)
    else:
        settings = load_config(PointsConfig, config or "points_fast", changes)
    run = PointsRun(scan, folder, choose_device(device), overwrite, resume, exit_after)
    with FitProgress(quiet) as progress, stop_requests() as stop:
        progress.on_note(use_threads(threads, settings.field.decoder))
        result = fit(run, settings, progress.on_step, progress.on_note, lambda: stop.requested)
    _print(result, as_json)
    raise typer.Exit(stop.exit_code)


def _print(result: "FitResult", as_json: bool) -> None:
    if as_json:
        import json

        print(json.dumps(result.as_dict()))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in result.rows():
        table.add_row(name, value)
    Console().print(table)
