"""How densely points sample a surface."""

import math

import torch

from isopts.kernels.neighbors import nearest_neighbors

SAME_SIDE_COSINE = -0.7
"""Normals turned further apart belong to two sides of a thin wall (or to an edge sharper than 46 degrees)."""


def nearest_distances(points: torch.Tensor) -> torch.Tensor:
    """(N,) distance of every point (N, 3) to its nearest other point; 0 for duplicates, infinite for a single point."""
    squared = nearest_neighbors(points, points, 2).squared_distances[:, 1]
    return torch.where(squared >= 0, squared, torch.inf).sqrt()


def areas(points: torch.Tensor, normals: torch.Tensor | None = None, k: int = 12) -> torch.Tensor:
    """(N,) surface area that each point (N, 3) stands for: pi r_k^2 / k, r_k the distance of the k-th neighbour.

    Unbiased for a uniform random sample of a flat surface; the sum estimates the area of the surface. With unit
    `normals` (N, 3) the other side of a thin wall is not counted.
    """
    k = min(k, len(points) - 1)
    found = nearest_neighbors(points, points, k + 1)
    count = k  # inside r_k
    if normals is not None:
        cosines = torch.einsum("nkd,nd->nk", normals[found.indices[:, 1:]], normals)
        same_side = (cosines >= SAME_SIDE_COSINE).sum(dim=1)
        count = k * (same_side + 1) / (k + 1)  # the inverse of a plain count would be biased upwards
    return math.pi * found.squared_distances[:, -1] / count
