"""`isopts mesh`: cut the surface of a fitted field into triangles."""

from pathlib import Path
from typing import Annotated

import typer

from isopts.cli.options import Device, Json
from isopts.cli.threads import Threads

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
    open_: Annotated[bool, typer.Option("--open", help="Cut the surface where the scan ends; no lids.")] = False,
    reach: Annotated[
        float | None,
        typer.Option(
            min=1, help="--open: fill gaps up to twice this many point spacings of the scan.", show_default="2.5"
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output file.")] = False,
    device: Device = "auto",
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Extract the mesh of a fitted field, in the coordinates of the fit's input.

    The field is evaluated only near its surface, so that fine resolutions are cheap. The mesh is closed, except where
    the surface leaves the domain, a cube a third longer than the input's longest side. With --open it ends where the
    scan ends, along smooth borders.

    Example:  isopts mesh runs/bunny_scan --resolution 512 -o bunny.glb
    """
    import json

    from isopts.cli.device import choose_device
    from isopts.cli.output_file import choose_output
    from isopts.cli.threads import use_threads
    from isopts.data.meshes import MESH_FORMATS
    from isopts.errors import InputError
    from isopts.fit.fitted_field import FittedField, no_surface
    from isopts.fit.outputs import OutputConfig
    from isopts.mesh.components import largest_component, solid_components
    from isopts.mesh.extract import MeshConfig

    if reach is not None and not open_:
        raise InputError("--reach says how --open cuts; give --open too.")
    suffix = f".{file_format.lower()}" if file_format else output.suffix.lower() if output else ".ply"
    if suffix not in MESH_FORMATS:
        known = ", ".join(known[1:] for known in MESH_FORMATS)
        raise InputError(f"The format '{suffix.removeprefix('.')}' is unknown; use one of {known}.")
    if output is not None and output.suffix.lower() != suffix:
        raise InputError(f"-o '{output}' and --format {file_format} contradict each other; give one of them.")
    target = choose_output(output, f"mesh_{resolution}{suffix}", MESH_FORMATS, overwrite)
    fitted = FittedField.load(checkpoint, choose_device(device))
    use_threads(threads, fitted.decoder)
    surface = fitted.mesh(MeshConfig(resolution=resolution, largest=largest and not open_))
    if len(surface.faces) == 0:
        raise no_surface()
    if fitted.appearance is not None:
        surface = solid_components(surface)
    if open_:
        surface = fitted.trim(surface, OutputConfig().reach if reach is None else reach)
        surface = largest_component(surface) if largest else surface
    fitted.write_mesh(target, surface)
    vertices, faces = len(surface.vertices), len(surface.faces)
    state = "closed" if surface.is_closed() else "open"
    if as_json:
        print(json.dumps({"path": str(target), "vertices": vertices, "faces": faces, "state": state}))
    else:
        print(f"{target}: {vertices:,} vertices, {faces:,} faces, {state}")
