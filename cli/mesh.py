"""`isopts mesh`: cut the surface of a fitted field into triangles."""

from pathlib import Path
from typing import Annotated

import typer

from isopts.cli.options import Device, Json

Checkpoint = Annotated[Path, typer.Argument(help="Checkpoint file or run folder.", show_default=False)]
Resolution = Annotated[int, typer.Option("--resolution", "-r", min=2, max=4096, help="Cells along the domain's side.")]
MeshOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="File to write; default: mesh_RESOLUTION.FORMAT here.", show_default=False),
]
Format = Annotated[
    str | None,
    typer.Option("--format", help="ply, obj, stl, glb or off; default: by the extension of -o.", show_default=False),
]


def mesh(
    checkpoint: Checkpoint,
    resolution: Resolution = 512,
    output: MeshOutput = None,
    file_format: Format = None,
    largest: Annotated[bool, typer.Option("--largest", help="Only the connected part with the most area.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output file.")] = False,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Extract the mesh of a fitted field, in the coordinates of the fit's input.

    The field is evaluated only near its surface, so that fine resolutions are cheap. The mesh is closed, except where
    the surface leaves the domain, a cube a third longer than the input's longest side.

    Example:  isopts mesh runs/bunny_scan --resolution 512 -o bunny.glb
    """
    import json

    from isopts.cli.device import choose_device
    from isopts.cli.mesh_output import choose_output, write_restored_mesh
    from isopts.cli.restored_field import load_restored_field
    from isopts.mesh.extract import MeshConfig

    target = choose_output(output, file_format, resolution, overwrite)
    restored = load_restored_field(checkpoint, choose_device(device))
    result = write_restored_mesh(restored, MeshConfig(resolution=resolution, largest=largest), target)
    if as_json:
        print(json.dumps(result))
    else:
        print(f"{result['path']}: {result['vertices']:,} vertices, {result['faces']:,} faces, {result['state']}")
