"""Soft visual hull: how far points are outside of the silhouettes of an object."""

from isopts.kernels.visual_hull.op import RANK_MAX, HullDistances, Silhouettes, visual_hull

__all__ = ["RANK_MAX", "HullDistances", "Silhouettes", "visual_hull"]
