"""The file that `isopts mesh` writes, and how fine its mesh is."""

from pathlib import Path

from isopts.cli.mesh_texture import TEXTURE_RESOLUTION
from isopts.cli.output_file import choose_output
from isopts.data.formats.textured_mesh import TEXTURED_FORMATS
from isopts.data.meshes import MESH_FORMATS
from isopts.errors import InputError

_RESOLUTION = 512


def choose_mesh(
    output: Path | None, file_format: str | None, resolution: int | None, texture: bool, overwrite: bool
) -> tuple[Path, int]:
    """File and cells along the domain's side; None where the command line leaves them open.

    Raises:
        InputError: the format is unknown, has no textures where one is asked for or is not that of `output`; or
            `output` cannot be written.
    """
    formats = TEXTURED_FORMATS if texture else MESH_FORMATS
    resolution = resolution or (TEXTURE_RESOLUTION if texture else _RESOLUTION)
    suffix = f".{file_format.lower()}" if file_format else output.suffix.lower() if output else formats[0]
    if suffix not in formats:
        known, use = ", ".join(known[1:] for known in formats), "has no textures" if texture else "is unknown"
        raise InputError(f"The format '{suffix.removeprefix('.')}' {use}; use one of {known}.")
    if output is not None and output.suffix.lower() != suffix:
        raise InputError(f"-o '{output}' and --format {file_format} contradict each other; give one of them.")
    return choose_output(output, f"mesh_{resolution}{suffix}", formats, overwrite), resolution
