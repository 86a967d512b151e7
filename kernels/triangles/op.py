"""Closest points on triangles and ray casts, exact up to float32, in O(log F) a query."""

from typing import NamedTuple

import torch

from isopts.errors import InputError
from isopts.kernels.launch import initialize, launch
from isopts.kernels.triangles.kernel import build_mesh, closest_point_kernel, ray_kernel

_SLIVER = 1e-5  # area / sum of squared edges; the traversal leaves out faces below 1e-6, with its own rounding


class ClosestPoints(NamedTuple):
    """points (Q, 3) on the surface, distances (Q,), faces (Q,) int64. A query that is not finite: NaN, NaN, -1."""

    points: torch.Tensor
    distances: torch.Tensor
    faces: torch.Tensor


class RayHits(NamedTuple):
    """distances (R,) in lengths of the direction, inf where missed; faces (R,) int64, -1 where missed;
    barycentric (R, 3) weights of the face's corners, 0 where missed."""

    distances: torch.Tensor
    faces: torch.Tensor
    barycentric: torch.Tensor


def closest_points(queries: torch.Tensor, vertices: torch.Tensor, faces: torch.Tensor) -> ClosestPoints:
    """The point of the surface nearest to each query. Faces without area count as their edges.

    Coordinates are made relative to the mesh before they are rounded to float32, so that geo-referenced offsets
    cost nothing. Ties between faces are broken arbitrarily. Not differentiable.

    Args:
        queries: (Q, 3); Q may be 0.
        vertices: (V, 3), finite.
        faces: (F, 3) integer corner indices, F > 0.

    Returns:
        Points and distances in the dtype of `queries`.

    Raises:
        InputError: the mesh has no faces, a corner index outside the vertices or a vertex that is not finite.
    """
    corners, center = _prepare(vertices, faces)
    device, count = queries.device, len(queries)
    local = _local(queries, center)
    points = torch.empty((count, 3), device=device)
    distances = torch.empty(count, device=device)
    found = torch.empty(count, dtype=torch.int64, device=device)
    positions = _local(vertices, center)
    mesh = build_mesh(positions, corners.flatten())
    slivers = _slivers(positions, corners)
    launch(closest_point_kernel, count, (mesh.id, slivers, local, points, distances, found), device)
    return ClosestPoints(points.to(queries.dtype) + center.to(queries.dtype), distances.to(queries.dtype), found)


def cast_rays(origins: torch.Tensor, directions: torch.Tensor, vertices: torch.Tensor, faces: torch.Tensor) -> RayHits:
    """The first face in front of each ray, seen from either side. Not differentiable.

    Args:
        origins: (R, 3).
        directions: (R, 3), not necessarily unit; a zero direction misses.
        vertices, faces: as in `closest_points`, which also lists the errors.
    """
    corners, center = _prepare(vertices, faces)
    device, count = origins.device, len(origins)
    mesh = build_mesh(_local(vertices, center), corners.flatten())
    distances = torch.empty(count, device=device)
    found = torch.empty(count, dtype=torch.int64, device=device)
    barycentric = torch.empty((count, 3), device=device)
    arguments = (mesh.id, _local(origins, center), directions.float().contiguous(), distances, found, barycentric)
    launch(ray_kernel, count, arguments, device)
    return RayHits(distances.to(origins.dtype), found, barycentric.to(origins.dtype))


def _prepare(vertices: torch.Tensor, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Corner indices (F, 3) int32 and the centre (3,) of the bounding box. A wrong index would crash Warp."""
    if len(faces) == 0:
        raise InputError("A mesh with faces is needed, got one without; give a triangle mesh or compare as points.")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise InputError(
            f"Faces must name vertices 0 ... {len(vertices) - 1}, got {int(faces.min())} ... {int(faces.max())}."
        )
    if not torch.isfinite(vertices).all():
        raise InputError("Vertices must be finite, got NaN or infinity; remove those vertices and their faces.")
    initialize()
    return faces.to(torch.int32).contiguous(), (vertices.amin(dim=0) + vertices.amax(dim=0)) / 2


def _local(points: torch.Tensor, center: torch.Tensor) -> torch.Tensor:
    return (points - center.to(points.dtype)).float().contiguous()


def _slivers(positions: torch.Tensor, corners: torch.Tensor) -> torch.Tensor:
    """Indices (S,) int32 of the faces that are too thin for the traversal."""
    a, b, c = (positions[corners[:, corner].long()] for corner in range(3))
    area = torch.linalg.cross(b - a, c - a).norm(dim=-1)
    edges_squared = ((b - a).square() + (c - b).square() + (a - c).square()).sum(-1)
    return torch.nonzero(area <= _SLIVER * edges_squared)[:, 0].int()
