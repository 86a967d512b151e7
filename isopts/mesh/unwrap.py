"""Lay the faces of a mesh out in the plane, so that a picture can colour them."""

from typing import NamedTuple

import numpy as np

from isopts.errors import InputError
from isopts.geometry.triangle_mesh import TriangleMesh

_PADDING_TEXELS = 4  # between charts: two mip-maps stay free of the neighbour's colours
_CHART_SHARE = 1 / 150  # of the surface: xatlas flattens larger charts five times as slowly, and breaks most of them up


class Unwrapped(NamedTuple):
    """sources (W,) int64: the vertex of the mesh that each vertex of the layout repeats. faces (F, 3) int64, into
    these, in the order of the mesh: sources[faces] are the mesh's faces. coordinates (W, 2) float64 in 0 ... 1, to the
    right and upwards; no faces overlap there, and those without area lie at a point."""

    sources: np.ndarray
    faces: np.ndarray
    coordinates: np.ndarray


def require_xatlas() -> None:
    """Raise InputError where the package that unwraps is not installed: ask before long work."""
    try:
        import xatlas  # noqa: F401
    except ImportError:
        raise InputError(
            "A texture needs the package xatlas, which is not installed; install it with `pip install xatlas`."
        ) from None


def unwrap(mesh: TriangleMesh, size_texels: int) -> Unwrapped:
    """Charts of nearly flat parts, packed into a square of `size_texels` texels a side, by xatlas.

    Two seconds for 40,000 faces, 17 for 150,000.

    Args:
        mesh: with faces; its normals are used where it has some.

    Raises:
        InputError: xatlas is not installed.
    """
    require_xatlas()
    import xatlas

    center, extent = mesh.vertices.mean(axis=0), np.ptp(mesh.vertices, axis=0).max()
    local = ((mesh.vertices - center) / extent).astype(np.float32)  # xatlas drops faces below an absolute size
    charts, packing = xatlas.ChartOptions(), xatlas.PackOptions()
    charts.max_chart_area = _CHART_SHARE * float(mesh.face_areas().sum()) / extent**2
    packing.resolution, packing.padding = size_texels, _PADDING_TEXELS
    atlas = xatlas.Atlas()
    atlas.add_mesh(local, mesh.faces.astype(np.uint32), mesh.normals)
    atlas.generate(charts, packing)
    sources, faces, coordinates = atlas[0]
    return Unwrapped(sources.astype(np.int64), faces.astype(np.int64), coordinates.astype(np.float64))
