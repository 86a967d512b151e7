"""Where and how `isopts mesh` writes."""

from pathlib import Path
from typing import Any

from isopts import __version__
from isopts.cli.restored_field import RestoredField
from isopts.data.meshes import MESH_FORMATS, mesh_format, write_mesh
from isopts.errors import InputError
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.mesh.extract import MeshConfig, extract_mesh
from isopts.run.atomic import replacing


def choose_output(output: Path | None, file_format: str | None, resolution: int, overwrite: bool) -> Path:
    """The file to write. Checked before the work: known format, not there yet or to be overwritten."""
    if file_format is not None and f".{file_format.lower()}" not in MESH_FORMATS:
        known = ", ".join(suffix[1:] for suffix in MESH_FORMATS)
        raise InputError(f"--format '{file_format}' is unknown; use one of {known}.")
    target = output or Path(f"mesh_{resolution}.{(file_format or 'ply').lower()}")
    if mesh_format(target) != f".{(file_format or target.suffix[1:]).lower()}":
        raise InputError(f"-o '{target}' and --format {file_format} contradict each other; give one of them.")
    if target.exists() and not overwrite:
        raise InputError(f"'{target}' exists; add --overwrite to replace it, or choose another file with -o.")
    return target


def write_restored_mesh(restored: RestoredField, config: MeshConfig, target: Path) -> dict[str, Any]:
    """Extract, move to the input's coordinates, write. Returns what was written, as plain values.

    Raises:
        InputError: the field has no surface, or the file cannot be written.
    """
    with replacing(target) as temporary:  # before the work, so that a missing folder is told at once
        device = next(restored.field.parameters()).device
        unit = extract_mesh(restored.field.value, restored.field.value_and_gradient, config, device)
        if len(unit.faces) == 0:
            raise InputError("The field of this checkpoint has no surface; fit longer, or check the input's normals.")
        world = TriangleMesh(restored.frame.array_to_world(unit.vertices), unit.faces, unit.normals)
        comment = f"isopts {__version__}, input coordinates, step {restored.step}, resolution {config.resolution}"
        write_mesh(temporary, world, comment)
    state = "closed" if world.is_closed() else "open"
    return {"path": str(target), "vertices": len(world.vertices), "faces": len(world.faces), "state": state}
