"""Curvature of a surface that is sampled by points with normals."""

import torch

from isopts.geometry.spacing import SAME_SIDE_COSINE

_CHUNK = 131072  # points; bounds the (chunk, K, 3) gather


def principal_curvatures(points: torch.Tensor, normals: torch.Tensor, neighbors: torch.Tensor) -> torch.Tensor:
    """(N, 2) principal curvatures, smaller first, in one over the unit of the points; positive where the surface bends
    away from the outward normal (1 / r twice on a sphere).

    The symmetric S in the tangent plane of n_i that fits n_j - n_i = S (p_j - p_i) best, by least squares weighted with
    a Gaussian over the neighbours. Zero where the neighbours do not span the plane.

    Args:
        points, normals: (N, 3), unit outward normals.
        neighbors: (N, K) int64 without the point itself, -1 where absent. Those across a thin wall are left out.
    """
    rows = torch.arange(len(points), device=points.device)
    chunks = [_principal_curvatures(points, normals, neighbors, chunk) for chunk in rows.split(_CHUNK)]
    return torch.cat(chunks)


def mean_curvature(points: torch.Tensor, normals: torch.Tensor, neighbors: torch.Tensor) -> torch.Tensor:
    """(N,) mean of the two principal curvatures."""
    return principal_curvatures(points, normals, neighbors).mean(dim=1)


def _principal_curvatures(
    points: torch.Tensor, normals: torch.Tensor, neighbors: torch.Tensor, rows: torch.Tensor
) -> torch.Tensor:
    others = neighbors[rows].clamp_min(0)
    normal = normals[rows]
    first, second = _tangents(normal)
    offsets = points[others] - points[rows, None]
    turns = normals[others] - normal[:, None]
    x, y = (torch.einsum("nkd,nd->nk", offsets, axis) for axis in (first, second))
    p, q = (torch.einsum("nkd,nd->nk", turns, axis) for axis in (first, second))
    weights = _weights(offsets, normals[others], normal, neighbors[rows] >= 0)
    scale = (weights * (x * x + y * y)).sum(dim=1).clamp_min(torch.finfo(points.dtype).tiny)

    def moment(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return (weights * a * b).sum(dim=1) / scale

    xx, xy, yy, zero = moment(x, x), moment(x, y), moment(y, y), torch.zeros_like(scale)
    left = torch.stack([xx, xy, zero, xy, xx + yy, xy, zero, xy, yy], dim=1).view(-1, 3, 3).double()
    right = torch.stack([moment(x, p), moment(y, p) + moment(x, q), moment(y, q)], dim=1).double()
    left = left + 1e-6 * torch.eye(3, dtype=left.dtype, device=left.device)
    a, b, c = torch.linalg.solve(left, right).unbind(dim=1)
    middle, radius = (a + c) / 2, ((a - c).square() / 4 + b.square()).sqrt()
    return torch.stack([middle - radius, middle + radius], dim=1).to(points.dtype)


def _weights(offsets: torch.Tensor, others: torch.Tensor, normal: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """(N, K) Gaussian weights whose width is the root mean square distance of the row."""
    squared = offsets.square().sum(dim=2)
    same_side = torch.einsum("nkd,nd->nk", others, normal) >= SAME_SIDE_COSINE
    used = (present & same_side).to(squared)
    width = (squared * used).sum(dim=1, keepdim=True) / used.sum(dim=1, keepdim=True).clamp_min(1)
    return torch.exp(-squared / width.clamp_min(torch.finfo(squared.dtype).tiny)) * used


def _tangents(normals: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Two unit vectors (N, 3) that complete each normal (N, 3) to a frame."""
    axis = torch.zeros_like(normals).scatter_(1, normals.abs().argmin(dim=1, keepdim=True), 1.0)
    first = torch.nn.functional.normalize(torch.linalg.cross(normals, axis), dim=1)
    return first, torch.linalg.cross(normals, first)
