"""Spread points evenly over the zero set of a field."""

import math
from typing import Literal

import torch
from pydantic import Field

from isopts.config import StrictModel
from isopts.geometry.spacing import SAME_SIDE_COSINE
from isopts.isopoints.project import Projection, ProjectionConfig, ValueAndGradient, approach, project
from isopts.kernels.neighbors import nearest_neighbors
from isopts.kernels.point_repulsion import repulsion

_STRIDE = 0.4  # share of the paper's displacement: more oscillates instead of settling
_SHARPNESS = 2.0  # squared spacings per squared kernel width; at 1 the spread stops at twice the variation


class ResampleConfig(StrictModel):
    """How points repel each other."""

    form: Literal["area", "paper"] = Field(
        "area", description="kernel width from the area of a point (scale-free), or the paper's diagonal / count"
    )
    iterations: int = Field(10, ge=0, description="repulsion steps; the paper uses 1 (views) or 5 (points)")
    k: int = Field(12, ge=1, description="neighbours that repel; the paper uses 8 (views) or 16 (points)")
    refresh_every: int = Field(2, ge=1, description="iterations between searches for neighbours")


@torch.no_grad()
def resample(
    value_and_gradient: ValueAndGradient,
    points: torch.Tensor,
    area: float,
    config: ResampleConfig,
    projection: ProjectionConfig,
) -> Projection:
    """Let `points` (N, 3) on the zero set repel each other in their tangent planes, and project them back.

    p_i += rho_i sum_j w_ij d_ij / sum_j w_ij (METHOD section 1). The kernel w_ij = exp(-|d_ij|^2 / h^2) has
    h^2 = D / N in the paper's form, D the diagonal of the bounding box; h^2 = `area` / (2 N) in the scale-free form,
    which also takes shorter strides, keeps points from piling up along sharp edges, and lets the two sides of a thin
    wall spread independently. A point that loses the zero set returns to its start: all N points come back, and those
    that had converged stay converged.

    Args:
        area: of the zero set, in the squared unit of the points; only the scale-free form uses it.
    """
    start = project(value_and_gradient, points, projection)
    points, normals = start.points, start.normals
    for iteration in range(config.iterations if len(points) > 1 else 0):
        if iteration % config.refresh_every == 0:
            neighbors = nearest_neighbors(points, points, config.k + 1).indices[:, 1:].contiguous()
        points = points + _displacements(points, normals, neighbors, area, config)
        points, normals = approach(value_and_gradient, points, projection.step_length_max)
    return _first_where_converged(project(value_and_gradient, points, projection), start)


def _displacements(
    points: torch.Tensor, normals: torch.Tensor, neighbors: torch.Tensor, area: float, config: ResampleConfig
) -> torch.Tensor:
    """(N, 3) steps along the surface; in the scale-free form at most half a spacing long."""
    match config.form:
        case "paper":
            diagonal = float((points.amax(dim=0) - points.amin(dim=0)).norm())
            return repulsion(points, normals, neighbors, len(points) / diagonal)
        case "area":
            spacing = math.sqrt(area / len(points))
            width = spacing / math.sqrt(_SHARPNESS)
            step = repulsion(points, normals, neighbors, width**-2, SAME_SIDE_COSINE, own_plane=True)
            length = step.norm(dim=1, keepdim=True)
            return step * (_STRIDE * spacing / length.clamp_min(spacing))


def _first_where_converged(first: Projection, second: Projection) -> Projection:
    """Row by row `first` where it has converged, else `second`."""
    column = first.converged[:, None]
    return Projection(
        torch.where(column, first.points, second.points),
        torch.where(column, first.normals, second.normals),
        torch.where(first.converged, first.values, second.values),
        first.converged | second.converged,
    )
