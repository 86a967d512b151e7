"""Generalised winding number of an oriented point cloud."""

from isopts.kernels.winding_number.op import winding_number

__all__ = ["winding_number"]
