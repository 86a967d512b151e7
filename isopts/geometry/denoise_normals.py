"""Bilateral filter of normals: smooth on faces, sharp across edges."""

import math

import torch

_CHUNK = 131072  # points; bounds the (chunk, K, 3) gather


def denoise_normals(
    points: torch.Tensor,
    normals: torch.Tensor,
    neighbors: torch.Tensor,
    angle_degrees: float = 15.0,
    iterations: int = 1,
) -> torch.Tensor:
    """Unit normals (N, 3), each the mean of its neighbours' and its own with bilateral weights.

    w_ij = exp(-|p_i - p_j|^2 / h^2) exp(-((1 - n_i . n_j) / (1 - cos s))^2) with s = `angle_degrees` (EAR, Huang et
    al., 2013); h is half the median distance to the last neighbour.

    Args:
        points, normals: (N, 3); normals are unit and consistently oriented.
        neighbors: (N, K) int64, -1 where absent; the point itself may be among them.
        angle_degrees: a neighbour turned further than about this hardly counts; larger removes more noise and rounds
            flatter edges.
        iterations: each uses the normals of the one before.
    """
    reach = (points[neighbors[:, -1].clamp_min(0)] - points).norm(dim=1)
    width = float(reach.median()) / 2 if len(reach) else 1.0
    for _ in range(iterations):
        chunks = torch.arange(len(points), device=points.device).split(_CHUNK)
        normals = torch.cat([_filtered(points, normals, neighbors, rows, width, angle_degrees) for rows in chunks])
    return normals


def _filtered(
    points: torch.Tensor,
    normals: torch.Tensor,
    neighbors: torch.Tensor,
    rows: torch.Tensor,
    width: float,
    angle_degrees: float,
) -> torch.Tensor:
    others = neighbors[rows].clamp_min(0)
    squared = (points[others] - points[rows, None]).square().sum(dim=2)
    weights = torch.exp(-squared / max(width, 1e-30) ** 2) * (neighbors[rows] >= 0)
    weights = weights * angle_weights(normals[rows], normals[others], angle_degrees)
    total = normals[rows] + (weights[:, :, None] * normals[others]).sum(dim=1)
    return torch.nn.functional.normalize(total, dim=1)


def angle_weights(normals: torch.Tensor, others: torch.Tensor, angle_degrees: float) -> torch.Tensor:
    """exp(-((1 - n . n_j) / (1 - cos s))^2), (N, K), of unit normals (N, 3) and their neighbours' (N, K, 3)."""
    cosines = torch.einsum("nkd,nd->nk", others, normals)
    return torch.exp(-((1 - cosines) / (1 - math.cos(math.radians(angle_degrees)))).square())
