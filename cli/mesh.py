"""`isopts mesh`: cut the surface of a fitted field into triangles."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isopts.cli.mesh_texture import TEXTURE_RESOLUTION, Bake, Texture, TextureSize
from isopts.cli.options import Device, Json
from isopts.cli.threads import Threads

if TYPE_CHECKING:
    from isopts.fit.fitted.fitted_field import FittedField
    from isopts.geometry.triangle_mesh import TriangleMesh

Checkpoint = Annotated[Path, typer.Argument(help="Checkpoint file or run folder.", show_default=False)]
Resolution = Annotated[
    int | None,
    typer.Option(
        "--resolution",
        "-r",
        min=2,
        max=4096,
        help="Cells along the domain's side. --texture takes seconds at up to about 160, minutes at 512.",
        show_default=f"512; {TEXTURE_RESOLUTION} with --texture",
    ),
]
MeshOutput = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="File to write; default: mesh_RESOLUTION.FORMAT here.", show_default=False),
]
Format = Annotated[
    str | None,
    typer.Option("--format", help="ply, obj, stl, glb or off; default: by the extension of -o.", show_default=False),
]
Reach = Annotated[
    float | None,
    typer.Option(min=1, help="--open: fill gaps up to twice this many point spacings of the scan.", show_default="2.5"),
]


def mesh(
    checkpoint: Checkpoint,
    resolution: Resolution = None,
    output: MeshOutput = None,
    file_format: Format = None,
    largest: Annotated[bool, typer.Option("--largest", help="Only the connected part with the most area.")] = False,
    open_: Annotated[bool, typer.Option("--open", help="Cut the surface where the scan ends; no lids.")] = False,
    reach: Reach = None,
    texture: Texture = False,
    texture_size: TextureSize = None,
    bake: Bake = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the output file.")] = False,
    device: Device = "auto",
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Extract the mesh of a fitted field, in the coordinates of the fit's input.

    The field is evaluated only near its surface, so that fine resolutions are cheap. The mesh is closed, except where
    the surface leaves the domain, a cube a third longer than the input's longest side. With --open it ends where the
    scan ends, along smooth borders. Meshes of fit-mvr have a colour at each vertex, with --texture a picture instead.

    Example:  isopts mesh runs/bunny_scan --resolution 512 -o bunny.glb

    Example:  isopts mesh runs/scan65 --texture -o skull.glb
    """
    from isopts.cli import mesh_texture
    from isopts.cli.device import choose_device
    from isopts.cli.mesh_target import choose_mesh
    from isopts.cli.threads import use_threads
    from isopts.errors import InputError
    from isopts.fit.fitted.fitted_field import FittedField, no_surface
    from isopts.mesh.components import solid_components
    from isopts.mesh.extract import MeshConfig

    if reach is not None and not open_:
        raise InputError("--reach says how --open cuts; give --open too.")
    mesh_texture.check_options(texture, texture_size, bake)
    target, resolution = choose_mesh(output, file_format, resolution, texture, overwrite)
    fitted = FittedField.load(checkpoint, choose_device(device))
    if open_ and fitted.appearance is not None:
        raise InputError("--open cuts where a scan ends; the surface of fit-mvr is closed: leave out --open.")
    if texture:
        mesh_texture.check_target(target, fitted, overwrite)
    use_threads(threads, fitted.decoder)
    surface = fitted.mesh(MeshConfig(resolution=resolution, largest=largest and not open_))
    if len(surface.faces) == 0:
        raise no_surface()
    if fitted.appearance is not None:
        surface = solid_components(surface)
    surface = _with_open_borders(fitted, surface, reach, largest) if open_ else fitted.supported_parts(surface)
    details = {}
    if texture:
        details = mesh_texture.write_texture(target, checkpoint, fitted, surface, texture_size, bake)
    else:
        fitted.write_mesh(target, surface)
    _report(target, surface, details, as_json)


def _with_open_borders(
    fitted: "FittedField", surface: "TriangleMesh", reach: float | None, largest: bool
) -> "TriangleMesh":
    from isopts.fit.fitted.outputs import OutputConfig
    from isopts.mesh.components import largest_component

    supported = fitted.trim(surface, OutputConfig().reach if reach is None else reach)
    return largest_component(supported) if largest else supported


def _report(target: Path, surface: "TriangleMesh", texture: dict[str, Any], as_json: bool) -> None:
    """Say on stdout what was written. texture: see write_texture, empty where there is none."""
    import json

    from isopts.cli.mesh_texture import describe

    vertices, faces = len(surface.vertices), len(surface.faces)
    state = "closed" if surface.is_closed() else "open"
    if as_json:
        print(json.dumps({"path": str(target), "vertices": vertices, "faces": faces, "state": state, **texture}))
    else:
        print(f"{target}: {vertices:,} vertices, {faces:,} faces, {state}{describe(texture)}")
