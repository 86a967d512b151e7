"""`isopts extract-isopoints`: evenly spread points on the surface of a fitted field."""

from pathlib import Path
from typing import Annotated

import typer

from isopts.cli.options import Device, Json, Quiet, Seed

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
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Extract iso-points of a fitted field: positions, normals and mean curvature, in the coordinates of its input.

    Example:  isopts extract-isopoints runs/bunny_scan -n 20000 -o bunny_isopoints.ply
    """
    import json

    from isopts.cli.device import choose_device
    from isopts.cli.isopoints_output import choose_points_output, print_quality, write_restored_isopoints
    from isopts.cli.restored_field import load_restored_field

    target = choose_points_output(output, count, overwrite)
    restored = load_restored_field(checkpoint, choose_device(device))
    result = write_restored_isopoints(restored, count, edge_aware, seed, target)
    if as_json:
        print(json.dumps(result))
    elif not quiet:
        print_quality(result)
