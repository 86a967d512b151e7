"""Planes through the neighbours of every point."""

from isopts.kernels.local_planes.op import local_planes
from isopts.kernels.local_planes.result import LocalPlanes

__all__ = ["LocalPlanes", "local_planes"]
