"""Nearest neighbours of points in another (or the same) cloud."""

from isopts.kernels.neighbors.op import fixed_radius_neighbors, nearest_neighbors
from isopts.kernels.neighbors.result import Neighbors

__all__ = ["Neighbors", "fixed_radius_neighbors", "nearest_neighbors"]
