"""Triangle meshes in PLY."""

from pathlib import Path
from typing import Any

import numpy as np

from isopts.data.formats.ply import Columns, Lists, read_ply, write_ply
from isopts.data.precision import coordinate_dtype
from isopts.errors import InputError
from isopts.geometry.triangle_mesh import TriangleMesh

_CORNER_LISTS = ("vertex_indices", "vertex_index")  # both spellings are in use
_NORMALS, _COLORS = ("nx", "ny", "nz"), ("red", "green", "blue")


def read_ply_mesh(path: Path) -> TriangleMesh:
    """Vertices, triangulated faces, and per-vertex normals and colours where present. Raises InputError."""
    elements = read_ply(path, ("vertex", "face"))
    vertex = elements.get("vertex", {})
    vertices = _table(vertex, ("x", "y", "z"), np.float64)
    if vertices is None:
        raise InputError(f"'{path}' has no vertices with x, y and z; give a PLY file with points.")
    face = elements.get("face", {})
    polygons = next((face[name] for name in _CORNER_LISTS if isinstance(face.get(name), Lists)), None)
    return TriangleMesh(
        vertices,
        np.zeros((0, 3)) if polygons is None else _triangles(polygons),
        _table(vertex, _NORMALS, np.float32),
        _colors(vertex),
    )


def _colors(columns: Columns) -> np.ndarray | None:
    """As bytes, of which 255 is what floating-point colours call 1, and 65535 of two bytes."""
    colors = _table(columns, _COLORS, np.float64)
    if colors is None:
        return None
    kind = columns[_COLORS[0]].dtype
    scale = 255.0 if kind.kind == "f" else 255 / 65535 if kind.itemsize > 1 and colors.max(initial=0) > 255 else 1.0
    return (np.nan_to_num(colors) * scale).round().clip(0, 255).astype(np.uint8)


def _table(columns: Columns, names: tuple[str, ...], dtype: Any) -> np.ndarray | None:
    if not all(isinstance(columns.get(name), np.ndarray) for name in names):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        return np.stack([columns[name] for name in names], axis=1).astype(dtype)


def _triangles(polygons: Lists) -> np.ndarray:
    """Corner indices (F, 3); a polygon of n corners becomes a fan of n - 2 triangles, right for convex ones."""
    with np.errstate(invalid="ignore"):  # corners that are no integers name no vertex, which the caller refuses
        corners = np.asarray(polygons.values, dtype=np.int64)
    start = np.cumsum(polygons.counts) - polygons.counts
    fans = np.maximum(polygons.counts - 2, 0)
    polygon = np.repeat(np.arange(len(fans)), fans)
    step = np.arange(len(polygon)) - np.repeat(np.cumsum(fans) - fans, fans)
    first = start[polygon]
    return np.stack([corners[first], corners[first + step + 1], corners[first + step + 2]], axis=1)


def write_ply_mesh(path: Path, mesh: TriangleMesh, comment: str | None) -> None:
    """Positions, then normals and colours where the mesh has them, then the faces."""
    vertex = dict(zip("xyz", mesh.vertices.T.astype(coordinate_dtype(mesh.vertices)), strict=True))
    if mesh.normals is not None:
        vertex |= dict(zip(_NORMALS, mesh.normals.T.astype(np.float32), strict=True))
    if mesh.colors is not None:
        vertex |= dict(zip(_COLORS, mesh.colors.T.astype(np.uint8), strict=True))
    face = {"vertex_indices": mesh.faces.astype(np.int32)}
    write_ply(path, {"vertex": vertex, "face": face}, (comment or "").splitlines())
