"""Surface points as differentiable functions of the field's parameters."""

import torch

_SMALLEST_SLOPE = 0.1


@torch.no_grad()
def refine_hits(
    value_and_gradient,
    origins: torch.Tensor,
    directions: torch.Tensor,
    distances: torch.Tensor,
    steps: int = 2,
    step_max: float = 0.05,
) -> torch.Tensor:
    """Newton steps along rays (R, 3) from `distances` (R,), near a crossing, towards it; the distances (R,) reached."""
    for _ in range(steps):
        values, gradients = value_and_gradient(origins + distances[:, None] * directions)
        slopes = (gradients * directions).sum(dim=1).clamp_max(-_SMALLEST_SLOPE)
        distances = distances - (values / slopes).clamp(-step_max, step_max)
    return distances


def points_on_rays(
    places: torch.Tensor,
    directions: torch.Tensor,
    points: torch.Tensor,
    values: torch.Tensor,
    gradients: torch.Tensor,
) -> torch.Tensor:
    """(R, 3): where rays cross the surface near `points` (R, 3), to first order, with the derivative of the crossing
    with respect to the parameters behind `values` (R,).

    That is o - (f + <grad f, o - x>) / <grad f, v> v; IDR's equation 3, where the ray passes through the point.

    places (R, 3) are on the rays, near the points; directions (R, 3) theirs; gradients (R, 3) the field's at the
    points. None is differentiated. Where a ray grazes the surface, the slope is held at 0.1.
    """
    gradients = gradients.detach()
    slopes = (gradients * directions).sum(dim=1).clamp_max(-_SMALLEST_SLOPE)
    heights = values + (gradients * (places - points)).sum(dim=1)
    return places - (heights / slopes)[:, None] * directions


def points_along_normals(points: torch.Tensor, values: torch.Tensor, gradients: torch.Tensor) -> torch.Tensor:
    """(N, 3): the nearest surface to first order, x - f grad f / |grad f|^2, differentiable in `values` (N,) alone."""
    gradients = gradients.detach()
    squared = gradients.square().sum(dim=1).clamp_min(_SMALLEST_SLOPE**2)
    return points - (values / squared)[:, None] * gradients
