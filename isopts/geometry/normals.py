"""Normals and local planes of a point cloud by principal component analysis."""

from typing import NamedTuple

import torch

from isopts.kernels.neighbors.op import nearest_neighbors

_CHUNK = 131072  # points; bounds the (chunk, K, 3) gather


class LocalPlanes(NamedTuple):
    """Plane through the K nearest neighbours of every point, the point itself included.

    centers: (N, 3), mean of the neighbours. normals: (N, 3), unit, of arbitrary sign. variances: (N, 3), ascending
    eigenvalues of the neighbours' covariance: variances[:, 0] is the squared residual of the plane.
    """

    centers: torch.Tensor
    normals: torch.Tensor
    variances: torch.Tensor


def estimate_normals(points: torch.Tensor, k: int = 16) -> torch.Tensor:
    """Unit normals (N, 3) of `points` (N, 3) from the k nearest neighbours. Signs are arbitrary."""
    return local_planes(points, nearest_neighbors(points, points, k).indices).normals


def local_planes(points: torch.Tensor, neighbors: torch.Tensor) -> LocalPlanes:
    """Planes through `points` (P, 3) at the rows of `neighbors` (N, K) int64, -1 where absent."""
    chunks = [_local_planes(points, chunk) for chunk in neighbors.split(_CHUNK)]
    return LocalPlanes(*(torch.cat(parts) for parts in zip(*chunks, strict=True)))


def _local_planes(points: torch.Tensor, neighbors: torch.Tensor) -> LocalPlanes:
    present = neighbors >= 0
    count = present.sum(dim=1).clamp_min(1)
    origin = points[neighbors[:, 0].clamp_min(0)]  # relative to a neighbour, so that a far cloud keeps its digits
    offsets = (points[neighbors.clamp_min(0)] - origin[:, None]) * present[:, :, None]
    mean = offsets.sum(dim=1) / count[:, None]
    offsets = (offsets - mean[:, None]) * present[:, :, None]
    covariance = offsets.transpose(1, 2) @ offsets / count[:, None, None]
    variances, vectors = torch.linalg.eigh(covariance)
    return LocalPlanes(origin + mean, vectors[:, :, 0].contiguous(), variances.clamp_min(0))
