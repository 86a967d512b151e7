"""Displacement of points along a surface, away from their neighbours."""

from isopts.kernels.point_repulsion.op import repulsion

__all__ = ["repulsion"]
