"""Farthest-point sampling."""

from isopts.kernels.farthest_points.op import farthest_points

__all__ = ["farthest_points"]
