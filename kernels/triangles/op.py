"""Closest points on triangles and ray casts, exact up to float32, in O(log F) a query."""

from typing import NamedTuple

import torch

from isopts.kernels.launch import launch
from isopts.kernels.triangles.kernel import closest_point_kernel, ray_kernel
from isopts.kernels.triangles.prepared_mesh import PreparedMesh, prepare_mesh

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
    mesh = prepare_mesh(vertices, faces)
    device, count = queries.device, len(queries)
    points = torch.empty((count, 3), device=device)
    distances = torch.empty(count, device=device)
    found = torch.empty(count, dtype=torch.int64, device=device)
    slivers = _slivers(mesh.positions, mesh.corners)
    arguments = (mesh.bvh.id, slivers, mesh.localize(queries), points, distances, found)
    launch(closest_point_kernel, count, arguments, device)
    return ClosestPoints(points.to(queries.dtype) + mesh.center.to(queries.dtype), distances.to(queries.dtype), found)


def cast_rays(origins: torch.Tensor, directions: torch.Tensor, vertices: torch.Tensor, faces: torch.Tensor) -> RayHits:
    """The first face in front of each ray, seen from either side. Not differentiable.

    Args:
        origins: (R, 3).
        directions: (R, 3), not necessarily unit; a zero direction misses.
        vertices, faces: as in `closest_points`, which also lists the errors.
    """
    return cast_rays_at(prepare_mesh(vertices, faces), origins, directions)


def cast_rays_at(mesh: PreparedMesh, origins: torch.Tensor, directions: torch.Tensor) -> RayHits:
    """`cast_rays` against a mesh that is asked more than once; on its device."""
    device, count = origins.device, len(origins)
    distances = torch.empty(count, device=device)
    found = torch.empty(count, dtype=torch.int64, device=device)
    barycentric = torch.empty((count, 3), device=device)
    local = mesh.localize(origins)
    arguments = (mesh.bvh.id, local, directions.float().contiguous(), distances, found, barycentric)
    launch(ray_kernel, count, arguments, device)
    return RayHits(distances.to(origins.dtype), found, barycentric.to(origins.dtype))


def _slivers(positions: torch.Tensor, corners: torch.Tensor) -> torch.Tensor:
    """Indices (S,) int32 of the faces that are too thin for the traversal."""
    a, b, c = (positions[corners[:, corner].long()] for corner in range(3))
    area = torch.linalg.cross(b - a, c - a).norm(dim=-1)
    edges_squared = ((b - a).square() + (c - b).square() + (a - c).square()).sum(-1)
    return torch.nonzero(area <= _SLIVER * edges_squared)[:, 0].int()
