"""Newton projection of points onto the zero set of a field."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from pydantic import Field

from isopts.config import StrictModel

ValueAndGradient = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""(N, 3) -> signed distance (N,) and its spatial gradient (N, 3)."""

_CHUNK = 65536  # points; bounds the memory of the field's hidden activations
_SMALLEST_SQUARED_GRADIENT = 1e-8  # below it the Newton direction is noise; the clipped step stays finite


class ProjectionConfig(StrictModel):
    """When a point counts as on the surface, and how hard to try."""

    tolerance: float = Field(1e-5, gt=0, description="a point is on the surface at |f| <= tolerance, unit frame")
    steps_max: int = Field(10, ge=1, description="Newton steps before a point is given up")
    step_length_max: float = Field(0.1, gt=0, description="longest single step, unit frame")


class Projection(NamedTuple):
    """Projected points in the order of the input, converged or not.

    points: (N, 3), the place of the smallest |f| met. normals: (N, 3), unit gradient there (zero where the gradient
    vanishes). values: (N,), signed distance there. converged: (N,) bool; drop the rest.
    """

    points: torch.Tensor
    normals: torch.Tensor
    values: torch.Tensor
    converged: torch.Tensor


@torch.no_grad()
def project(value_and_gradient: ValueAndGradient, points: torch.Tensor, config: ProjectionConfig) -> Projection:
    """Move `points` (N, 3) along q <- q - f(q) grad f / |grad f|^2 until |f| <= tolerance (METHOD section 1).

    A step that does not reduce |f| is taken back and shortened: to where a straight line between the two values
    crosses zero when they differ in sign (the kinks of a trilinear grid), else to a half. Only points that have not
    converged are evaluated again. Points where the field is not finite never converge.
    """
    chunks = [_project_chunk(value_and_gradient, chunk, config) for chunk in points.split(_CHUNK)]
    return Projection(*(torch.cat(parts) for parts in zip(*chunks, strict=True)))


@torch.no_grad()
def approach(
    value_and_gradient: ValueAndGradient, points: torch.Tensor, step_length_max: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """One Newton step for all points (N, 3), and the unit normals (N, 3) where it began: half the work of `project`."""
    moved, normals = [], []
    for chunk in points.split(_CHUNK):
        values, gradients = value_and_gradient(chunk)
        moved.append(chunk + _newton_step(values, gradients, step_length_max))
        normals.append(torch.nn.functional.normalize(gradients, dim=1))
    return torch.cat(moved), torch.cat(normals)


def _project_chunk(value_and_gradient: ValueAndGradient, points: torch.Tensor, config: ProjectionConfig) -> Projection:
    points = points.clone()
    values, gradients = value_and_gradient(points)
    gradients = gradients.clone()
    values = values.nan_to_num(nan=torch.inf)
    active = _unconverged(values, config)
    scale = torch.ones_like(values[active])
    for _ in range(config.steps_max):
        if len(active) == 0:
            break
        step = _newton_step(values[active], gradients[active], config.step_length_max) * scale[:, None]
        tried = points[active] + step
        tried_values, tried_gradients = value_and_gradient(tried)
        tried_values = tried_values.nan_to_num(nan=torch.inf)
        better = tried_values.abs() < values[active].abs()
        scale = torch.where(better, 1.0, scale * _shortening(values[active], tried_values))
        accepted = active[better]
        points[accepted], values[accepted] = tried[better], tried_values[better]
        gradients[accepted] = tried_gradients[better]
        left = values[active].abs() > config.tolerance
        active, scale = active[left], scale[left]
    normals = torch.nn.functional.normalize(gradients, dim=1)
    return Projection(points, normals, values, values.abs() <= config.tolerance)


def _unconverged(values: torch.Tensor, config: ProjectionConfig) -> torch.Tensor:
    """(A,) indices of the finite values that are too large."""
    return (values.isfinite() & (values.abs() > config.tolerance)).nonzero()[:, 0]


def _newton_step(values: torch.Tensor, gradients: torch.Tensor, length_max: float) -> torch.Tensor:
    """(N, 3) Newton displacement, at most `length_max` long."""
    squared = gradients.square().sum(dim=1).clamp_min(_SMALLEST_SQUARED_GRADIENT)
    length = values.abs() / squared.sqrt()
    return -gradients * (values / squared * (length_max / length.clamp_min(length_max)))[:, None]


def _shortening(values: torch.Tensor, tried: torch.Tensor) -> torch.Tensor:
    """(N,) factor for a step that failed: regula falsi across a change of sign, else one half."""
    crosses = (values * tried < 0) & tried.isfinite()
    return torch.where(crosses, (values / (values - tried)).clamp(0.1, 0.9), 0.5)
