"""Which points of a surface are seen by which view: a depth test on splatted points."""

from isopts.kernels.point_visibility.op import DepthViews, point_visibility

__all__ = ["DepthViews", "point_visibility"]
