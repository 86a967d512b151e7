"""Lay the faces of a mesh out in the plane, so that a picture can colour them."""

from typing import NamedTuple

import numpy as np

from isopts.errors import InputError
from isopts.geometry.triangle_mesh import TriangleMesh

_PADDING_TEXELS = 4  # between charts: two mip-maps stay free of the neighbour's colours
_CHART_COST_MAX = 4.0  # xatlas: larger charts, more stretched; its default, 2, gives twice as many seams


class Unwrapped(NamedTuple):
    """mesh: vertices of seams repeated, faces in the order they had. coordinates (V, 2) in 0 ... 1, v upwards; faces do
    not overlap there. Faces without area lie at a point."""

    mesh: TriangleMesh
    coordinates: np.ndarray


def require_xatlas() -> None:
    """Raise InputError where the package that unwraps is not installed: ask before long work."""
    try:
        import xatlas  # noqa: F401
    except ImportError:
        raise InputError(
            "Unwrapping a mesh for a texture needs the package xatlas, which is not installed; "
            "install it with: pip install xatlas"
        ) from None


def unwrap(mesh: TriangleMesh, size_texels: int) -> Unwrapped:
    """Charts of nearly flat parts, packed into a square of `size_texels` texels a side, by xatlas.

    Args:
        mesh: with normals; about a second for 10,000 faces.

    Raises:
        InputError: xatlas is not installed.
    """
    require_xatlas()
    import xatlas

    center, extent = mesh.vertices.mean(axis=0), np.ptp(mesh.vertices, axis=0).max()
    local = ((mesh.vertices - center) / extent).astype(np.float32)  # xatlas drops faces below an absolute size
    charts, packing = xatlas.ChartOptions(), xatlas.PackOptions()
    charts.max_cost, charts.max_iterations = _CHART_COST_MAX, 1
    packing.resolution, packing.padding, packing.bilinear = size_texels, _PADDING_TEXELS, True
    atlas = xatlas.Atlas()
    atlas.add_mesh(local, mesh.faces.astype(np.uint32), mesh.normals)
    atlas.generate(charts, packing)
    source, faces, coordinates = atlas[0]
    cut = TriangleMesh(mesh.vertices[source], faces, None if mesh.normals is None else mesh.normals[source])
    return Unwrapped(cut, coordinates.astype(np.float64))
