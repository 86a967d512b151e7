"""Meshes in Stanford PLY: read through plyfile, written as little-endian binary in three blocks."""

from pathlib import Path
from typing import Any

import numpy as np
from plyfile import PlyData, PlyElement, PlyElementParseError, PlyHeaderParseError

from isopts.errors import InputError
from isopts.geometry.triangle_mesh import TriangleMesh

_CORNER_LISTS = ("vertex_indices", "vertex_index")  # both spellings are in use
_ROUNDING = 1e-6  # of the longest side; coordinates that singles would move further are written as doubles


def read_ply_mesh(path: Path) -> TriangleMesh:
    """Vertices, triangulated faces, and per-vertex normals and colours where present. Raises InputError."""
    ply = _parse(path)
    if "vertex" not in ply:
        raise InputError(f"'{path}' has no vertex element; give a PLY file with points.")
    vertex = ply["vertex"]
    vertices = _columns(vertex, ("x", "y", "z"), np.float64)
    if vertices is None:
        raise InputError(f"'{path}' has vertices without x, y and z; give a PLY file with coordinates.")
    faces = _triangles(ply["face"]) if "face" in ply and ply["face"].count else np.zeros((0, 3))
    normals = _columns(vertex, ("nx", "ny", "nz"), np.float32)
    return TriangleMesh(vertices, faces, normals, _columns(vertex, ("red", "green", "blue"), np.uint8))


def _parse(path: Path) -> PlyData:
    all_triangles = {"face": dict.fromkeys(_CORNER_LISTS, 3)}
    try:
        try:
            return PlyData.read(path, known_list_len=all_triangles)  # 30 times faster than lists of any length
        except PlyElementParseError:
            return PlyData.read(path)
    except (PlyElementParseError, PlyHeaderParseError, ValueError, OSError) as error:
        raise InputError(f"'{path}' is not a complete PLY file ({error}); export it again.") from error


def _columns(element: PlyElement, names: tuple[str, ...], dtype: Any) -> np.ndarray | None:
    if not set(names) <= set(element.data.dtype.names):
        return None
    return np.stack([np.asarray(element[name]) for name in names], axis=1).astype(dtype)


def _triangles(element: PlyElement) -> np.ndarray:
    """Corner indices (F, 3); a polygon of n corners becomes a fan of n - 2 triangles, right for convex ones."""
    name = next((name for name in _CORNER_LISTS if name in element.data.dtype.names), None)
    if name is None:
        return np.zeros((0, 3), dtype=np.int64)
    corners = element[name]
    if corners.dtype != object:
        return np.asarray(corners)
    sizes = np.array([len(polygon) for polygon in corners])
    fans = [np.zeros((0, 3), dtype=np.int64)]
    for size in np.unique(sizes[sizes >= 3]):
        polygons = np.stack(corners[sizes == size]).astype(np.int64)
        for corner in range(1, size - 1):
            fans.append(polygons[:, [0, corner, corner + 1]])
    return np.concatenate(fans)


def write_ply_mesh(path: Path, mesh: TriangleMesh, comment: str | None) -> None:
    """Binary little-endian PLY: positions, then nx ny nz and red green blue where the mesh has them, then the faces."""
    real = np.dtype("<f4") if _singles_suffice(mesh.vertices) else np.dtype("<f8")
    fields = [(name, real) for name in "xyz"]
    blocks = [mesh.vertices.astype(real)]
    if mesh.normals is not None:
        fields += [(name, np.dtype("<f4")) for name in ("nx", "ny", "nz")]
        blocks.append(mesh.normals.astype("<f4"))
    if mesh.colors is not None:
        fields += [(name, np.dtype("u1")) for name in ("red", "green", "blue")]
        blocks.append(mesh.colors.astype("u1"))
    rows = np.concatenate([block.reshape(len(block), -1).view("u1") for block in blocks], axis=1)
    faces = np.empty(len(mesh.faces), dtype=[("corners", "u1"), ("vertex_indices", "<i4", 3)])
    faces["corners"], faces["vertex_indices"] = 3, mesh.faces
    with open(path, "wb") as file:
        file.write(_header(fields, len(mesh.vertices), len(mesh.faces), comment).encode())
        file.write(np.ascontiguousarray(rows).tobytes())
        file.write(faces.tobytes())


def _header(fields: list[tuple[str, np.dtype]], vertices: int, faces: int, comment: str | None) -> str:
    names = {"<f4": "float", "<f8": "double", "|u1": "uchar"}
    return "\n".join(
        [
            "ply",
            "format binary_little_endian 1.0",
            *(f"comment {line}" for line in (comment or "").splitlines() if line),
            f"element vertex {vertices}",
            *(f"property {names[kind.str]} {name}" for name, kind in fields),
            f"element face {faces}",
            "property list uchar int vertex_indices",
            "end_header\n",
        ]
    )


def _singles_suffice(vertices: np.ndarray) -> bool:
    if len(vertices) == 0:
        return True
    moved = np.abs(vertices - vertices.astype(np.float32)).max()
    return bool(moved <= _ROUNDING * np.ptp(vertices, axis=0).max())
