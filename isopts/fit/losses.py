"""Loss terms: pure functions of values and gradients of the field, each a mean over its samples, unit frame.

Sources: the equations of the iso-points paper's point-cloud recipe; for the sign term see `sign_loss`.
"""

import torch
from torch.nn import functional

_SMALLEST_LENGTH = 1e-6


def surface_loss(values: torch.Tensor, weights: torch.Tensor | None = None) -> torch.Tensor:
    """Mean of w |f| for points (N,) that lie on the surface."""
    return _mean(values.abs(), weights)


def noisy_surface_loss(
    values: torch.Tensor, noise: float, width: float, weights: torch.Tensor | None = None
) -> torch.Tensor:
    """Mean of w h(f / noise) for points (N,) displaced from the surface by Gaussian noise of that deviation.

    h(t) = t^2 / 2, linear beyond `width` (Huber, 1964): the likelihood of the noise near the surface, so that the mean
    of the points is sought instead of their median, which needs a third fewer points; far points pull no harder.
    """
    scaled = values / noise
    return _mean(functional.huber_loss(scaled, torch.zeros_like(scaled), reduction="none", delta=width), weights)


def normal_loss(
    gradients: torch.Tensor, normals: torch.Tensor, weights: torch.Tensor | None = None, oriented: bool = True
) -> torch.Tensor:
    """Mean of w (1 - cos) between gradients (N, 3) and unit normals (N, 3); of w (1 - |cos|) when not `oriented`."""
    cosines = _cosines(gradients, normals)
    deviations = 1 - (cosines if oriented else cosines.abs())
    return _mean(deviations, weights)


def opposing_normal_loss(gradients: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
    """Mean of max(0, -cos): gradients (N, 3) that point against the nearest input normal (N, 3)."""
    return functional.relu(-_cosines(gradients, normals)).mean()


def eikonal_loss(gradients: torch.Tensor) -> torch.Tensor:
    """Mean of (|grad f| - 1)^2."""
    return (gradients.norm(dim=1) - 1).square().mean()


def off_surface_loss(values: torch.Tensor, sharpness: float) -> torch.Tensor:
    """Mean of exp(-sharpness |f|) for points (N,) that should not be on the surface (SIREN, equation 6)."""
    return torch.exp(-sharpness * values.abs()).mean()


def sign_loss(
    values: torch.Tensor, distances: torch.Tensor, signs: torch.Tensor, confidences: torch.Tensor
) -> torch.Tensor:
    """Mean of c max(0, 0.8 d - s f): f has at least 0.8 of the distance d to the scan, on the side s (+1 outside).

    One-sided, because the scan's nearest point may be an outlier's neighbour but is never far beyond the surface; 0.8
    leaves room for noise and gaps. confidences (N,) in [0, 1] come from the winding number.
    """
    return (confidences * functional.relu(0.8 * distances - signs * values)).mean()


def unsigned_distance_loss(values: torch.Tensor, distances: torch.Tensor) -> torch.Tensor:
    """Mean of ||f| - d|, d (N,) the distance to the scan (sign-agnostic learning, Atzmon & Lipman 2020)."""
    return (values.abs() - distances).abs().mean()


def _mean(terms: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    return terms.mean() if weights is None else (weights * terms).mean()


def _cosines(gradients: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
    lengths = gradients.norm(dim=1).clamp_min(_SMALLEST_LENGTH)
    return (gradients * normals).sum(dim=1) / lengths
