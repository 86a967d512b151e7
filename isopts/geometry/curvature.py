"""Curvature of surfaces, sampled by points with normals or implicit."""

from collections.abc import Callable

import torch
from torch.nn import functional

from isopts.geometry.spacing import SAME_SIDE_COSINE

Gradient = Callable[[torch.Tensor], torch.Tensor]

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


def shape_operators(gradient: Gradient, points: torch.Tensor, normals: torch.Tensor, reach: float) -> torch.Tensor:
    """(N, 3, 3) symmetric S of an implicit surface, n(x + d) - n(x) = S d for d in the tangent plane, 0 along the
    normal; in one over the unit of the points. Positive where the surface bends away from its outward normal.

    Args:
        gradient: of the implicit function, (M, 3) -> (M, 3).
        points, normals: (N, 3) on the surface, unit outward normals.
        reach: S is the mean over so much to each side, by central differences: what is smaller does not show.
    """
    axes = _tangents(normals)
    turns = [
        functional.normalize(gradient(points + reach * axis), dim=1)
        - functional.normalize(gradient(points - reach * axis), dim=1)
        for axis in axes
    ]
    axes = torch.stack(axes, dim=1)  # (N, 2, 3)
    bends = torch.stack(turns, dim=1) @ axes.mT / (2 * reach)
    return axes.mT @ ((bends + bends.mT) / 2) @ axes


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
    first = functional.normalize(torch.linalg.cross(normals, axis), dim=1)
    return first, torch.linalg.cross(normals, first)
