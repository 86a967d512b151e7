"""Triangles as a set of points: the closest one to a query, the first one along a ray."""

from isopts.kernels.triangles.op import ClosestPoints, RayHits, cast_rays, closest_points

__all__ = ["ClosestPoints", "RayHits", "cast_rays", "closest_points"]
