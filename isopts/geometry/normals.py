"""Normals of a point cloud by principal component analysis."""

import torch

from isopts.kernels.local_planes import LocalPlanes, local_planes
from isopts.kernels.neighbors import nearest_neighbors

__all__ = ["LocalPlanes", "estimate_normals", "local_planes"]


def estimate_normals(points: torch.Tensor, k: int = 16) -> torch.Tensor:
    """Unit normals (N, 3) of `points` (N, 3) from the k nearest neighbours. Signs are arbitrary."""
    return local_planes(points, nearest_neighbors(points, points, k).indices).normals
