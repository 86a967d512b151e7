"""Loss terms of posed images: pure functions, each a mean over its samples, unit frame."""

import torch
from torch.nn import functional

from isopts.kernels.patch_consistency import INVALID

_HUBER = 0.1


def color_loss(colors: torch.Tensor, expected: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Mean of w |c - c*| over the samples (R, 3) and channels; weights (R,)."""
    return (weights * (colors - expected).abs().mean(dim=1)).mean()


def huber_color_loss(colors: torch.Tensor, expected: torch.Tensor) -> torch.Tensor:
    """Mean over the samples (R, 3) and channels of the squared error, from a tenth of white on of the error alone:
    shadows and highlights that move with the camera count, but do not rule."""
    return functional.smooth_l1_loss(colors, expected, beta=_HUBER)


def photo_loss(scores: torch.Tensor, floor: float, best: int, tolerance: float) -> torch.Tensor:
    """Mean of t log(1 + (1 - NCC) / t), t the tolerance, over each surfel's `best` sources with the highest scores
    (N, S) of those above `floor`; 0 for a surfel with none.

    The residual of a patch is noise that differs from patch to patch, so its logarithm is what is likeliest: patches
    that agree well tell the place exactly and pull most; others, with light that moved or something in between, hardly.
    Scores below the floor are occlusions and highlights: truncated, they pull nowhere."""
    counted = counted_sources(scores.detach(), floor, best)
    shares = counted / counted.sum(dim=1, keepdim=True).clamp_min(1)
    residuals = (1 - scores).clamp_min(0)  # rounding takes scores beyond 1
    return (shares * tolerance * torch.log1p(residuals / tolerance)).sum(dim=1).mean()


def counted_sources(scores: torch.Tensor, floor: float, best: int) -> torch.Tensor:
    """(N, S) 1 for the sources that count, else 0."""
    valid = (scores > floor) & (scores > INVALID)
    least = scores.topk(min(best, scores.shape[1]), dim=1).values[:, -1:]
    return (valid & (scores >= least)).to(scores)


def side_loss(outside: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """Mean length by which f is negative at points that are `outside` (N,), plus that by which it is positive at those
    that are `inside` (M,)."""
    return _mean(functional.relu(-outside)) + _mean(functional.relu(inside))


def mask_loss(outside: torch.Tensor, inside: torch.Tensor, sharpness: float) -> torch.Tensor:
    """Cross entropy of sigmoid(-a f) with the masks, over a (IDR, equation 7): values (N,), (M,) at the smallest f
    along rays that pass the object, and along rays that meet it."""
    entropies = torch.cat((functional.softplus(-sharpness * outside), functional.softplus(sharpness * inside)))
    return _mean(entropies) / sharpness


def bending_loss(normals: torch.Tensor, neighbors: torch.Tensor) -> torch.Tensor:
    """Mean squared difference of unit normals (N, 3) at pairs of nearby points."""
    return (normals - neighbors).square().sum(dim=1).mean()


def limit_gradient(points: torch.Tensor, length_max: float) -> torch.Tensor:
    """`points` (N, 3), whose gradient is shortened row by row to at most `length_max` on its way back."""
    if not points.requires_grad:
        return points
    limited = points.view_as(points)

    def shorten(gradient: torch.Tensor) -> torch.Tensor:
        return gradient * (length_max / gradient.norm(dim=1, keepdim=True).clamp_min(length_max))

    limited.register_hook(shorten)
    return limited


def _mean(values: torch.Tensor) -> torch.Tensor:
    return values.sum() / max(len(values), 1)
