"""Edge-aware resampling: more points along creases, normals that stay on two sides (EAR, Huang et al., 2013)."""

import math

import torch
from pydantic import Field

from isopts.config import StrictModel
from isopts.geometry.denoise_normals import angle_weights, denoise_normals
from isopts.geometry.spacing import SAME_SIDE_COSINE, nearest_distances
from isopts.isopoints.project import Projection, ProjectionConfig, ValueAndGradient, project
from isopts.kernels.neighbors import nearest_neighbors

_RIDGE = 1e-3  # of the two planes' Gram matrix: parallel planes meet nowhere
_CROWD = 16  # neighbours looked at when new points are thinned
_CHUNK = 8192  # points; bounds the (chunk, K, K, 3) offsets


class EdgeAwareConfig(StrictModel):
    """The values of the released code, where its recipes differ those for point clouds."""

    angle_degrees: float = Field(
        20.0, gt=0, lt=180, description="normals farther apart than about this are two faces; 15 for views"
    )
    repulsion: float = Field(0.4, ge=0, lt=1, description="mu of the resampling; 0.5 for views")
    iterations: int = Field(2, ge=0, description="resampling steps before points are inserted")
    normal_iterations: int = Field(3, ge=1, description="bilateral filterings of the normals")
    sensitivity: float = Field(4.0, ge=0, description="e of the priority (2 - n . n_j)^e; larger favours edges")
    growth: float = Field(1.5, ge=1, description="points after the insertion per point before it")
    k: int = Field(16, ge=2, description="neighbours")


@torch.no_grad()
def resample_edge_aware(
    value_and_gradient: ValueAndGradient,
    points: torch.Tensor,
    count: int,
    config: EdgeAwareConfig,
    projection: ProjectionConfig,
) -> Projection:
    """Draw `points` (P, 3) of the zero set away from edges, then fill the edges with new points, `count` in all.

    Returns points on the zero set with bilateral normals instead of gradients. Fewer than `count` come back only when
    no proposal reaches the zero set.
    """
    current = _converged(project(value_and_gradient, points, projection))
    current = current._replace(normals=_bilateral(current, config))
    for _ in range(config.iterations if len(current.points) > config.k else 0):
        moved = project(value_and_gradient, _away_from_edges(current.points, current.normals, config), projection)
        stay = ~moved.converged[:, None]
        current = Projection(
            torch.where(stay, current.points, moved.points),
            torch.where(stay, current.normals, moved.normals),
            torch.where(stay[:, 0], current.values, moved.values),
            current.converged,
        )
        current = current._replace(normals=_bilateral(current, config))
    while config.k < len(current.points) < count:
        inserted = _inserted(value_and_gradient, current, count - len(current.points), config, projection)
        if len(inserted.points) == 0:
            break
        current = Projection(*(torch.cat(pair) for pair in zip(current, inserted, strict=True)))
    return current


def _converged(projection: Projection) -> Projection:
    return Projection(*(part[projection.converged] for part in projection))


def _inserted(
    value_and_gradient: ValueAndGradient,
    current: Projection,
    count: int,
    config: EdgeAwareConfig,
    projection: ProjectionConfig,
) -> Projection:
    """Up to `count` new points, at most an eighth of the present ones."""
    points, normals = current.points, current.normals
    neighbors = nearest_neighbors(points, points, config.k + 1).indices
    chunks = [_best_midpoints(points, normals, chunk, config.sensitivity) for chunk in neighbors.split(_CHUNK)]
    partners, priorities = (torch.cat(parts) for parts in zip(*chunks, strict=True))
    wanted = min(count, max(1, len(points) // 8))
    one = priorities.argsort(descending=True)
    one = one[priorities[one] > 0]
    other = partners[one]
    starts = _where_planes_meet(points[one], normals[one], points[other], normals[other])
    chosen = _apart(starts, points)[:wanted]
    one, other = one[chosen], other[chosen]
    found = project(value_and_gradient, starts[chosen], projection)
    sides = _side_normals(found.normals, normals[one], normals[other], config.angle_degrees)
    return _converged(found._replace(normals=sides))


def _side_normals(
    gradients: torch.Tensor, one: torch.Tensor, other: torch.Tensor, angle_degrees: float
) -> torch.Tensor:
    """(C, 3) the gradient where both parents are of one face, else the parent's normal that it leans to: a fitted field
    rounds its edges, and the gradient there belongs to neither face."""
    crease = (one * other).sum(dim=1) < math.cos(math.radians(angle_degrees))
    leans = (gradients * (one - other)).sum(dim=1, keepdim=True) >= 0
    return torch.where(crease[:, None], torch.where(leans, one, other), gradients)


def _where_planes_meet(
    one: torch.Tensor, one_normal: torch.Tensor, other: torch.Tensor, other_normal: torch.Tensor
) -> torch.Tensor:
    """(C, 3) points on both tangent planes, nearest to the midpoints: on the crease of two faces, else in between."""
    middle = (one + other) / 2
    first, second = (((p - middle) * n).sum(dim=1) for p, n in ((one, one_normal), (other, other_normal)))
    cosine = (one_normal * other_normal).sum(dim=1)
    determinant = (1.0 - cosine.square()).clamp_min(0.0) + _RIDGE
    a, b = (first - cosine * second) / determinant, (second - cosine * first) / determinant
    offset = a[:, None] * one_normal + b[:, None] * other_normal
    reach = (one - other).norm(dim=1, keepdim=True) / 2
    return middle + offset * (reach / torch.maximum(offset.norm(dim=1, keepdim=True), reach).clamp_min(1e-12))


def _apart(new: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Indices of the rows of `new` that keep half a spacing from those before, and a third of it from `present`."""
    if len(new) == 0:
        return torch.zeros(0, dtype=torch.int64, device=new.device)
    spacing = nearest_distances(present).median()
    found = nearest_neighbors(new, new, min(_CROWD, len(new)))
    earlier = (found.indices >= 0) & (found.indices < torch.arange(len(new), device=new.device)[:, None])
    crowded = (earlier & (found.squared_distances < (spacing / 2) ** 2)).any(dim=1)
    crowded |= nearest_neighbors(new, present, 1).squared_distances[:, 0] < (spacing / 3) ** 2
    return (~crowded).nonzero()[:, 0]


def _best_midpoints(
    points: torch.Tensor, normals: torch.Tensor, neighbors: torch.Tensor, sensitivity: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """For each row of `neighbors` (C, 1 + K), the point itself first: the neighbour (C,) with the best midpoint, and
    its priority (C,) (2 - n . n_j)^e D, D the distance to the nearest line p_k + t n_k; 0 across a thin wall."""
    around, facing = points[neighbors], normals[neighbors]
    midpoints = (around[:, :1] + around[:, 1:]) / 2
    offsets = midpoints[:, :, None] - around[:, None]
    along = torch.einsum("nmkd,nkd->nmk", offsets, facing)
    gaps = (offsets.square().sum(dim=3) - along.square()).clamp_min(0).amin(dim=2).sqrt()
    cosines = torch.einsum("nkd,nd->nk", facing[:, 1:], facing[:, 0])
    priorities = (2 - cosines).pow(sensitivity) * gaps * (cosines >= SAME_SIDE_COSINE)
    priority, best = priorities.max(dim=1)
    return neighbors.gather(1, 1 + best[:, None])[:, 0], priority


def _bilateral(current: Projection, config: EdgeAwareConfig) -> torch.Tensor:
    k = min(config.k, len(current.points))
    neighbors = nearest_neighbors(current.points, current.points, max(k, 1)).indices
    return denoise_normals(current.points, current.normals, neighbors, config.angle_degrees, config.normal_iterations)


def _away_from_edges(points: torch.Tensor, normals: torch.Tensor, config: EdgeAwareConfig) -> torch.Tensor:
    """One step of the anisotropic LOP: towards the neighbours of the own face, away from all that are close."""
    found = nearest_neighbors(points, points, config.k + 1)
    indices, squared = found.indices[:, 1:], found.squared_distances[:, 1:]
    width = squared[:, config.k // 2 - 1].mean()
    theta = torch.exp(-squared / width)
    own_face = theta * angle_weights(normals, normals[indices], config.angle_degrees)
    near = theta / squared.sqrt().clamp_min(0.01 * width.sqrt())
    attraction = _mean(own_face, points[indices], points) - points
    repulsion = points - _mean(near, points[indices], points)
    return points + config.repulsion * (attraction + repulsion)


def _mean(weights: torch.Tensor, around: torch.Tensor, alone: torch.Tensor) -> torch.Tensor:
    """(N, 3) weighted means of `around` (N, K, 3); `alone` (N, 3) where nothing has weight."""
    total = weights.sum(dim=1, keepdim=True)
    mean = (weights[:, :, None] * around).sum(dim=1) / total.clamp_min(1e-12)
    return torch.where(total > 1e-12, mean, alone)
