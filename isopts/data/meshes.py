"""Read and write triangle meshes; the file name's extension chooses the format."""

from pathlib import Path

from isopts.data.formats.interchange_mesh import read_interchange_mesh, write_interchange_mesh
from isopts.data.formats.ply_mesh import read_ply_mesh, write_ply_mesh
from isopts.errors import InputError
from isopts.geometry.triangle_mesh import TriangleMesh

MESH_FORMATS = (".ply", ".obj", ".stl", ".glb", ".off")


def read_mesh(path: Path | str, needs_faces: bool = False) -> TriangleMesh:
    """The mesh in the file's own coordinates; polygons become triangle fans.

    Args:
        path: PLY (ASCII or binary, either endianness), OBJ, STL, GLB or OFF. A PLY, OBJ or OFF without faces is
            a point cloud and comes back with `faces` (0, 3). Normals and colours are read from PLY only. STL repeats
            each vertex for each face; vertices that are equal bit by bit are merged.
        needs_faces: refuse a file without faces.

    Raises:
        InputError: missing, truncated or foreign file, unknown extension, no vertices, no faces where they are needed.
    """
    path = Path(path)
    suffix = mesh_format(path)
    if not path.is_file():
        raise InputError(f"'{path}' is not a file; give the path of a mesh ({', '.join(MESH_FORMATS)}).")
    mesh = read_ply_mesh(path) if suffix == ".ply" else read_interchange_mesh(path)
    if len(mesh.vertices) == 0:
        raise InputError(f"'{path}' has no vertices; give a mesh or a cloud with points.")
    if len(mesh.faces) and not 0 <= mesh.faces.min() <= mesh.faces.max() < len(mesh.vertices):
        raise InputError(f"'{path}' has faces that name vertices outside 0 ... {len(mesh.vertices) - 1}; repair it.")
    if needs_faces and len(mesh.faces) == 0:
        raise InputError(f"'{path}' has points but no faces; give a triangle mesh.")
    return mesh


def write_mesh(path: Path | str, mesh: TriangleMesh, comment: str | None = None) -> None:
    """Write `mesh` with its normals and, where the format has them, colours.

    PLY keeps coordinates to 1e-6 of the mesh's size (doubles where singles would not), GLB does so through the node's
    translation. OBJ and OFF are decimal text. STL is single precision and says so when that moves a vertex further.

    Args:
        comment: lines for the PLY header; other formats have no place for it.

    Raises:
        InputError: unknown extension, or the file cannot be written.
    """
    path = Path(path)
    suffix = mesh_format(path)
    try:
        if suffix == ".ply":
            write_ply_mesh(path, mesh, comment)
        else:
            write_interchange_mesh(path, mesh)
    except OSError as error:
        raise InputError(f"Cannot write '{path}': {error.strerror or error}; choose another place.") from error


def mesh_format(path: Path | str) -> str:
    """The extension in lower case, one of MESH_FORMATS; InputError otherwise."""
    suffix = Path(path).suffix.lower()
    if suffix not in MESH_FORMATS:
        raise InputError(f"'{path}' does not end in a known mesh format; use one of {', '.join(MESH_FORMATS)}.")
    return suffix
