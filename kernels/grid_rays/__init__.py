"""Rays through a sampled field: first crossing, and smallest value with its place."""

from isopts.kernels.grid_rays.op import RayExtremes, march_rays

__all__ = ["RayExtremes", "march_rays"]
