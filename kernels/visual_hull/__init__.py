"""Soft visual hull: how far points are outside of the silhouettes of an object."""

from isopts.kernels.visual_hull.op import HullDistances, Silhouettes, visual_hull

__all__ = ["HullDistances", "Silhouettes", "visual_hull"]
