"""Point clouds: reading any supported file, dropping what cannot be used, writing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from isopts.data.cleaning import CleaningReport, clean_points
from isopts.data.formats.npy import read_npy_table, write_npy_table
from isopts.data.formats.obj import read_obj_vertices
from isopts.data.formats.off import read_off_vertices
from isopts.data.formats.ply import Columns, read_ply, write_ply
from isopts.data.formats.text import read_text_table, write_text_table
from isopts.data.point_cloud import PointCloud
from isopts.data.precision import coordinate_dtype
from isopts.errors import InputError

__all__ = ["POINTS_MIN", "CleaningReport", "PointCloud", "read_points", "write_points"]

POINTS_MIN = 50
"""Fewest usable points of a cloud: a fit to less has no shape to find."""

_TEXT_SUFFIXES = (".xyz", ".txt", ".pts", ".asc", ".csv")
_SUFFIXES = (".ply", *_TEXT_SUFFIXES, ".npy", ".obj", ".off")
_UNIT_TOLERANCE, _UNIT_SHARE = 0.02, 0.9  # columns 4 to 6 are normals when this share of them has length 1 +- this


def read_points(path: str | Path) -> tuple[PointCloud, CleaningReport]:
    """Read the points (the vertices of a mesh) and clean them.

    Dropped are points that are not finite, exact repetitions (the first stays) and points whose normal is zero or not
    finite; when that holds for more than half of the points, the normals are ignored instead.

    Raises:
        InputError: no such file, a folder, an unknown suffix, a damaged file, fewer than POINTS_MIN usable points,
            or all points in one place.
    """
    path = Path(path)
    _require_file(path)
    points, normals, ignored = _read(path)
    cloud, report = clean_points(points, normals, ignored)
    if len(points) == 0:
        raise InputError(f"'{path}' holds no points; expected a point cloud or a mesh with vertices.")
    if len(cloud) == 1 and report.duplicates:
        raise InputError(f"All {len(points)} points in '{path}' are the same; expected points on a surface.")
    if len(cloud) < POINTS_MIN:
        raise InputError(
            f"'{path}' holds {len(cloud)} usable points of {len(points)}; at least {POINTS_MIN} are needed. "
            + " ".join(report.sentences())
        )
    return cloud, report


def write_points(
    path: str | Path,
    points: np.ndarray,
    normals: np.ndarray | None = None,
    scalars: Mapping[str, np.ndarray] | None = None,
    comments: Sequence[str] = (),
) -> None:
    """Write points (N, 3) and normals (N, 3) as binary PLY, XYZ text or NPY, by suffix.

    Args:
        points: float64; a PLY keeps double precision where float32 would lose it.
        scalars: PLY only: property name -> (N,).
        comments: PLY only: header lines.

    Raises:
        InputError: another suffix.
    """
    path = Path(path)
    table = points if normals is None else np.hstack([points, normals])
    match path.suffix.lower():
        case ".ply":
            dtype = coordinate_dtype(points)
            columns = {name: points[:, axis].astype(dtype) for axis, name in enumerate("xyz")}
            if normals is not None:
                columns |= {f"n{name}": normals[:, axis].astype(np.float32) for axis, name in enumerate("xyz")}
            write_ply(path, {"vertex": {**columns, **(scalars or {})}}, comments)
        case ".xyz":
            write_text_table(path, table)
        case ".npy":
            write_npy_table(path, table)
        case suffix:
            raise InputError(f"Cannot write points as '{suffix}': expected .ply, .xyz or .npy in '{path}'.")


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise InputError(f"'{path}' is a folder; expected a point cloud file.")
    if not path.exists():
        raise InputError(f"'{path}' does not exist; expected a point cloud file.")
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"'{path}' has the unknown suffix '{path.suffix}'; expected one of {', '.join(_SUFFIXES)}.")


def _read(path: Path) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Points and normals as they are in the file, and sentences about what is not used."""
    match path.suffix.lower():
        case ".ply":
            return *_vertices(path, read_ply(path, ("vertex",)).get("vertex", {})), ()
        case ".obj":
            return *read_obj_vertices(path), ()
        case ".off":
            return *read_off_vertices(path), ()
        case ".npy":
            return _split(read_npy_table(path))
        case _:
            return _split(read_text_table(path))


def _vertices(path: Path, columns: Columns) -> tuple[np.ndarray, np.ndarray | None]:
    if not columns:
        raise InputError(f"'{path}' has no vertices; expected a point cloud or a mesh with vertices.")
    if missing := [name for name in "xyz" if not isinstance(columns.get(name), np.ndarray)]:
        raise InputError(f"The vertices in '{path}' have no property '{missing[0]}'; expected x, y and z.")
    names = ("nx", "ny", "nz")
    with np.errstate(over="ignore", invalid="ignore"):  # what is no finite number is dropped with its point
        points = np.stack([columns[name] for name in "xyz"], axis=1, dtype=np.float64)
        if not all(isinstance(columns.get(name), np.ndarray) for name in names):
            return points, None
        return points, np.stack([columns[name] for name in names], axis=1, dtype=np.float32)


def _split(table: np.ndarray) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Points and normals of rows (N, 3) or (N, 6); columns 4 to 6 may be something else, such as colours."""
    if table.shape[1] == 3:
        return table, None, ()
    points, normals = table[:, :3], table[:, 3:]
    lengths = np.linalg.norm(normals, axis=1)
    lengths = lengths[lengths > 0]
    if len(lengths) == 0 or np.mean(np.abs(lengths - 1) <= _UNIT_TOLERANCE) >= _UNIT_SHARE:
        return points, normals.astype(np.float32), ()
    return points, None, ("Columns 4 to 6 are ignored: they are no unit normals.",)
