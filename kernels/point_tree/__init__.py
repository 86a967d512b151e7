"""Points in blocks along a space-filling curve under a tree of bounding boxes."""

from isopts.kernels.point_tree.curve import curve_order
from isopts.kernels.point_tree.tree import BLOCK, FAN_OUT, PointTree, build_point_tree

__all__ = ["BLOCK", "FAN_OUT", "PointTree", "build_point_tree", "curve_order"]
