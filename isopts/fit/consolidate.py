"""Iso-points moved onto the scan that surrounds them: a denoised sample of the surface."""

from typing import NamedTuple

import torch
from torch.nn import functional

from isopts.fit.weights import normal_agreement
from isopts.kernels.neighbors import fixed_radius_neighbors

_CHUNK = 65536  # iso-points times neighbours stay small
_NEIGHBORS = 128
_SUPPORT_MIN = 3.0  # effective neighbours below which a place has no data of its own


class Scan(NamedTuple):
    """points, normals: (N, 3). values (N,), gradients (N, 3): of the field at the points. weights (N,): trust."""

    points: torch.Tensor
    normals: torch.Tensor
    values: torch.Tensor
    gradients: torch.Tensor
    weights: torch.Tensor


class Consolidated(NamedTuple):
    """points (M, 3); unit normals (M, 3); confidences (M,) in [0, 1]: 0 where the scan has no points."""

    points: torch.Tensor
    normals: torch.Tensor
    confidences: torch.Tensor


def consolidate(points: torch.Tensor, normals: torch.Tensor, scan: Scan, width: float) -> Consolidated:
    """Move iso-points (M, 3) with unit normals (M, 3) to where the scan around them lies on average.

    With w_i the product of a Gaussian of the distance along the surface (standard deviation `width`), of the agreement
    of the normals and of the trust in point i:
        q' = q + n sum_i w_i f(p_i) / sum_i w_i
        n' = normalised n + sum_i w_i (n_i - grad f(p_i)) / sum_i w_i
    Averages of what the field misses, not of the points: the field's own shape drops out, so that a curved surface is
    not flattened, as it is by moving least squares. Distance across the surface must not count: the points near the
    wrong surface would outweigh those near the right one.
    """
    parts = [
        _consolidate(some_points, some_normals, scan, width)
        for some_points, some_normals in zip(points.split(_CHUNK), normals.split(_CHUNK), strict=True)
    ]
    return Consolidated(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))


def _consolidate(points: torch.Tensor, normals: torch.Tensor, scan: Scan, width: float) -> Consolidated:
    found = fixed_radius_neighbors(points, scan.points, 2 * width, _NEIGHBORS)
    near = found.indices.clamp_min(0)
    heights = ((scan.points[near] - points[:, None]) * normals[:, None]).sum(dim=2)
    aside = (found.squared_distances - heights.square()).clamp_min(0)
    weights = torch.exp(aside / (-2 * width**2)) * (found.indices >= 0)
    weights = weights * scan.weights[near] * normal_agreement((scan.normals[near] * normals[:, None]).sum(dim=2))
    total = weights.sum(dim=1)
    weights = weights / total.clamp_min(1e-6)[:, None]
    offset = (weights * scan.values[near]).sum(dim=1)
    turn = (weights[:, :, None] * (scan.normals - scan.gradients)[near]).sum(dim=1)
    confidence = (total / _SUPPORT_MIN).clamp_max(1)
    return Consolidated(points + offset[:, None] * normals, functional.normalize(normals + turn, dim=1), confidence)
