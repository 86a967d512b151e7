"""Triangles as a set of points: the closest one to a query, the first one along a ray."""

from isopts.kernels.triangles.op import ClosestPoints, RayHits, cast_rays, cast_rays_at, closest_points
from isopts.kernels.triangles.prepared_mesh import PreparedMesh, prepare_mesh

__all__ = ["ClosestPoints", "PreparedMesh", "RayHits", "cast_rays", "cast_rays_at", "closest_points", "prepare_mesh"]
