"""OBJ, STL, GLB and OFF through trimesh, with its vertices and faces left as they are in the file."""

import logging
import math
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from isopts.data.formats.obj import read_obj_vertices
from isopts.data.formats.off import read_off_vertices
from isopts.data.precision import coordinate_dtype
from isopts.errors import InputError
from isopts.geometry.triangle_mesh import TriangleMesh

if TYPE_CHECKING:  # half a second to import; PLY does without
    import trimesh

_DECIMAL = (".obj", ".off")  # coordinates are text
logger = logging.getLogger(__name__)
_CLOUD_READERS = {".obj": read_obj_vertices, ".off": read_off_vertices}  # trimesh drops vertices without faces

# trimesh has no error type of its own: a damaged file surfaces as whatever its parsers stumble over, an ImportError
# among them (it guesses the encoding of text that is not UTF-8 with a package that need not be there)
_PARSER_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)


def read_interchange_mesh(path: Path) -> TriangleMesh:
    """All geometry of the file as one mesh, placed by the scene's transforms. Raises InputError."""
    import trimesh

    try:
        loaded = trimesh.load(path, process=False, force="mesh")
        vertices, faces = np.asarray(loaded.vertices), np.asarray(loaded.faces)
    except _PARSER_ERRORS as error:
        raise InputError(
            f"'{path}' is not a complete {path.suffix[1:].upper()} mesh ({error}); export it again."
        ) from error
    suffix = path.suffix.lower()
    if len(faces) == 0 and suffix in _CLOUD_READERS:
        vertices, _ = _CLOUD_READERS[suffix](path)
    if suffix == ".stl" and len(vertices):
        vertices, corner = np.unique(vertices, axis=0, return_inverse=True)
        faces = corner.reshape(-1)[faces]
    return TriangleMesh(vertices, faces)


def write_interchange_mesh(path: Path, mesh: TriangleMesh) -> None:
    """Format by extension. GLB stores singles: the mesh is centred, the node's double translation puts it back."""
    import trimesh

    exported = trimesh.Trimesh(
        mesh.vertices, mesh.faces, vertex_normals=mesh.normals, vertex_colors=mesh.colors, process=False
    )
    suffix = path.suffix.lower()
    if suffix == ".glb":
        exported = _centred_scene(exported)
    elif suffix == ".stl":
        _warn_of_rounding(path, mesh.vertices)
    options = {"digits": _decimals(mesh.vertices)} if suffix in _DECIMAL else {}
    content = exported.export(file_type=suffix[1:], **options)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def _decimals(vertices: np.ndarray) -> int:
    """Places after the point that keep nine digits of the mesh's size: trimesh's own number suits sizes around 1."""
    size = float(np.ptp(vertices, axis=0).max()) if len(vertices) else 0.0
    return max(8, 9 - math.floor(math.log10(size))) if size > 0 else 8


def _centred_scene(exported: "trimesh.Trimesh") -> "trimesh.Scene":
    import trimesh

    center = exported.bounds.mean(axis=0) if len(exported.vertices) else np.zeros(3)
    exported.apply_translation(-center)
    scene = trimesh.Scene()
    scene.add_geometry(exported, transform=trimesh.transformations.translation_matrix(center))
    return scene


def _warn_of_rounding(path: Path, vertices: np.ndarray) -> None:
    if coordinate_dtype(vertices) == np.float64:
        moved = np.abs(vertices - vertices.astype(np.float32)).max()
        logger.warning("STL keeps single precision: vertices of %s moved by up to %.2g; PLY keeps them", path, moved)
