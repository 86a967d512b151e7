"""`isopts extract-isopoints`: evenly spread points on the surface of a fitted field."""

from pathlib import Path
from typing import Annotated, Any

import typer

from isopts.cli.options import Device, Json, Quiet, Seed
from isopts.cli.threads import Threads

Checkpoint = Annotated[Path, typer.Argument(help="Checkpoint file or run folder.", show_default=False)]
Count = Annotated[int, typer.Option("--count", "-n", min=2, max=20_000_000, help="Iso-points wanted.")]
PointsOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="PLY, XYZ or NPY file; default: isopoints_COUNT.ply here.", show_default=False),
]


def extract_isopoints(
    checkpoint: Checkpoint,
    count: Count = 20_000,
    output: PointsOutput = None,
    edge_aware: Annotated[
        bool, typer.Option("--edge-aware", help="Put more points on sharp edges; normals stay on two sides.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output file.")] = False,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Extract iso-points of a fitted field: positions, normals and mean curvature, in the coordinates of its input.

    Example:  isopts extract-isopoints runs/bunny_scan -n 20000 -o bunny_isopoints.ply
    """
    import json
    import time

    from isopts.cli.device import choose_device
    from isopts.cli.output_file import choose_output
    from isopts.cli.threads import use_threads
    from isopts.fit.fitted.fitted_field import FittedField, no_surface
    from isopts.isopoints.edge_aware import EdgeAwareConfig
    from isopts.isopoints.extract import IsoPointsConfig

    target = choose_output(output, f"isopoints_{count}.ply", (".ply", ".xyz", ".npy"), overwrite)
    fitted = FittedField.load(checkpoint, choose_device(device))
    use_threads(threads, fitted.decoder)
    started = time.monotonic()
    isopoints = fitted.isopoints(count, IsoPointsConfig(edge_aware=EdgeAwareConfig() if edge_aware else None), seed)
    if len(isopoints.points) < 2:
        raise no_surface()
    seconds = round(time.monotonic() - started, 3)
    fitted.write_isopoints(target, isopoints.points, isopoints.normals)
    result = {"path": str(target), **isopoints.quality.as_dict(), "seconds": seconds}
    if as_json:
        print(json.dumps(result))
    elif not quiet:
        _print(result)


def _print(result: dict[str, Any]) -> None:
    from rich.table import Table

    from isopts.cli.output_console import OutputConsole

    table = Table(box=None, show_header=False, pad_edge=False)
    rows = {
        "iso-points": f"{result['count']:,}",
        "residual |f|": f"{result['residual_mean']:.2g} mean, {result['residual_max']:.2g} max (unit frame)",
        "spacing": f"{result['spacing']:.5f} (unit frame), variation {result['spacing_variation']:.3f}",
        "largest hole": f"{result['largest_hole']:.2f} spacings",
        "unconverged": f"{100 * result['unconverged']:.2f} % of the candidates, left out",
        "seconds": f"{result['seconds']:.2f}",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    print(result["path"])
    OutputConsole().print(table)
