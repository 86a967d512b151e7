"""`isopts mesh --texture`: its options, what it asks for beforehand, and what it writes."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from isopts.errors import InputError

if TYPE_CHECKING:
    from isopts.fit.fitted.fitted_field import FittedField
    from isopts.fit.views.image_stack import ImageStack
    from isopts.geometry.triangle_mesh import TriangleMesh

TEXTURE_RESOLUTION = 144
"""Cells along the domain's side where none are asked for: unwrapping takes three seconds, at 512 minutes."""
_SIZE = 2048

BakeSource = Literal["views", "network"]
Texture = Annotated[
    bool,
    typer.Option("--texture", help="Wrap a picture around the mesh of a run of fit-mvr: GLB or OBJ; needs xatlas."),
]
TextureSize = Annotated[
    int | None,
    typer.Option(min=16, max=8192, help="--texture: texels along the picture's side.", show_default=str(_SIZE)),
]
Bake = Annotated[
    BakeSource | None,
    typer.Option(
        help="--texture: colours of the photographs (views) or of the fitted colour field (network).",
        show_default="views; network where they cannot be read",
    ),
]


def check_options(texture: bool, size: int | None, bake: str | None) -> None:
    """Raise InputError for options that say how there is to be a texture where there is none, or without xatlas."""
    from isopts.mesh.unwrap import require_xatlas

    if not texture and (size is not None or bake is not None):
        given = "--texture-size" if size is not None else "--bake"
        raise InputError(f"{given} says how --texture colours; give --texture too.")
    if texture:
        require_xatlas()


def check_target(target: Path, fitted: "FittedField", overwrite: bool) -> None:
    """Raise InputError where the fit has no colours, or a file beside an OBJ would be replaced without --overwrite."""
    from isopts.cli.output_file import choose_output
    from isopts.data.formats.textured_mesh import textured_mesh_files

    if not fitted.has_colors:
        raise InputError(
            "This fit has no colours to make a texture of; give a run of fit-mvr that has, or leave out --texture."
        )
    for path in textured_mesh_files(target)[1:]:
        choose_output(path, "", (path.suffix,), overwrite)


def write_texture(
    target: Path,
    checkpoint: Path,
    fitted: "FittedField",
    mesh: "TriangleMesh",
    size: int | None,
    bake: BakeSource | None,
) -> dict[str, Any]:
    """Colour and write `mesh`; what to report: texels along a side, source of the colours, seconds."""
    from isopts.fit.fitted.texture import texture_mesh
    from isopts.fit.fitted.textured_output import write_textured_mesh

    started, size = time.monotonic(), size or _SIZE
    photographs = None if bake == "network" else _photographs(checkpoint, fitted, required=bake == "views")
    write_textured_mesh(target, texture_mesh(fitted, mesh, size, photographs))
    source = "network" if photographs is None else "views"
    return {"texture": size, "bake": source, "texture_seconds": round(time.monotonic() - started, 1)}


def describe(details: dict[str, Any]) -> str:
    """The end of the line that the command prints."""
    if not details:
        return ""
    source = "photographs" if details["bake"] == "views" else "colour field"
    return f"; texture of {details['texture']}x{details['texture']} from the {source}, {details['texture_seconds']} s"


def _photographs(checkpoint: Path, fitted: "FittedField", required: bool) -> "ImageStack | None":
    """None where they cannot be read and need not be; says so on stderr."""
    from isopts.fit.fitted.photographs import fitted_photographs

    try:
        return fitted_photographs(checkpoint, fitted)
    except InputError as error:
        if required:
            raise
        print(f"The texture shows the fitted colour field, not the photographs: {error}", file=sys.stderr)
        return None
