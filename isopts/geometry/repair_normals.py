"""Normals that face the wrong way among neighbours that do not."""

import torch
from torch.nn import functional

from isopts.geometry.adaptive_planes import adaptive_planes, feet
from isopts.geometry.orientation import orient_normals
from isopts.kernels.neighbors import nearest_neighbors

_NEIGHBORS = 16
_SAMPLE = 4000
_ROUNDS = 6
_OPPOSITE = -0.5  # cosine below which two normals are
_HOPELESS = 1 / 3  # share of contradicted normals from which votes freeze into patches of either sign


def contradicted_share(points: torch.Tensor, normals: torch.Tensor, seed: int = 0) -> float:
    """Share of the unit normals (N, 3) at `points` (N, 3) that most of their neighbours contradict, from a sample.

    About the share of those turned at random. Measured without any: at most 0.1 % on clean scans, 0.5 % at 1 % noise,
    1.4 % with 2 % outliers besides.
    """
    if len(points) < 2:
        return 0.0
    chosen = torch.randperm(len(points), generator=torch.Generator().manual_seed(seed))[:_SAMPLE].to(points.device)
    near = nearest_neighbors(points[chosen], points, min(_NEIGHBORS + 1, len(points))).indices[:, 1:]
    return float((_votes(points, normals, chosen, near) < 0).float().mean())


def opposite_offset(points: torch.Tensor, normals: torch.Tensor, seed: int = 0) -> float:
    """In [-1, 1]: how far neighbours with opposite unit normals (N, 3) lie behind (positive) or in front (negative) of
    a point, the mean over the mean of the absolute values, from a sample.

    On one noisy sheet with normals turned at random it is 0 within 0.1: opposite normals stand at the same places. The
    sheets of a wall thinner than its noise are behind each other (0.3 to 0.9), those of a narrow gap in front.
    """
    if len(points) < 2:
        return 0.0
    chosen = torch.randperm(len(points), generator=torch.Generator().manual_seed(seed))[:_SAMPLE].to(points.device)
    near = nearest_neighbors(points[chosen], points, min(_NEIGHBORS + 1, len(points))).indices[:, 1:]
    behind = torch.einsum("rkd,rd->rk", points[chosen][:, None] - points[near], normals[chosen])
    opposite = torch.einsum("rkd,rd->rk", normals[near], normals[chosen]) < _OPPOSITE
    offsets = behind[opposite]
    return float(offsets.sum() / offsets.abs().sum().clamp_min(torch.finfo(points.dtype).tiny))


def repair_normals(points: torch.Tensor, normals: torch.Tensor, contradicted: float) -> torch.Tensor:
    """`normals` (N, 3), unit, with those turned around that contradict their neighbours; axes stay.

    Every normal takes the side that its neighbours vote for, six times, on the cloud without its noise. Links along
    the normals, which cross thin walls, have little say. Turns single normals and small patches; which side whole
    surfaces face is left as given, unless a third or more are `contradicted`, the share that contradicted_share tells:
    then all is decided anew, see orient_normals. Walls should be several spacings thick.
    """
    if len(points) < 2:
        return normals
    if contradicted >= _HOPELESS:
        return orient_normals(points, normals)
    places = feet(points, adaptive_planes(points))
    near = nearest_neighbors(places, places, min(_NEIGHBORS + 1, len(points))).indices[:, 1:]
    rows = torch.arange(len(points), device=points.device)
    for _ in range(_ROUNDS):
        wrong = _votes(places, normals, rows, near) < 0
        if not bool(wrong.any()):
            break
        normals = torch.where(wrong[:, None], -normals, normals)
    return normals


def _votes(points: torch.Tensor, normals: torch.Tensor, rows: torch.Tensor, near: torch.Tensor) -> torch.Tensor:
    """(R,) sums, over the neighbours `near` (R, K) of the points `rows` (R,), of <n_i, n_j> (1 - <d_ij, n_i>^2)^4, d_ij
    the direction between them; negative where they contradict."""
    directions = functional.normalize(points[near] - points[rows][:, None], dim=2)
    along = 1 - torch.einsum("rkd,rd->rk", directions, normals[rows]).square()
    return (torch.einsum("rkd,rd->rk", normals[near], normals[rows]) * along.pow(4)).sum(dim=1)
