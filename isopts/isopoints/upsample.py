"""Insert points where a set has gaps, until it has as many as wanted."""

import torch
from pydantic import Field

from isopts.config import StrictModel
from isopts.isopoints.project import ProjectionConfig, ValueAndGradient, project
from isopts.kernels.neighbors import nearest_neighbors

_CHUNK = 8192  # points; bounds the (chunk, K, K) distances


class UpsampleConfig(StrictModel):
    """How points are inserted."""

    k: int = Field(16, ge=1, description="neighbours towards which a point proposes new ones; released code: 16 or 31")
    share: float = Field(0.125, gt=0, le=1, description="points inserted in a round, as a share of the present ones")


@torch.no_grad()
def upsample(
    value_and_gradient: ValueAndGradient,
    points: torch.Tensor,
    count: int,
    config: UpsampleConfig,
    projection: ProjectionConfig,
) -> torch.Tensor:
    """`points` (P, 3) of the zero set, followed by inserted ones, `count` in all.

    Every point proposes (2 p + p_nn) / 3 towards its neighbours and keeps the proposal farthest from all of them; the
    points with the largest such distance insert theirs, a share of the set in a round, and the new ones are projected.
    Fewer than `count` come back when a round inserts nothing, because no proposal reaches the zero set.
    """
    while 1 < len(points) < count:
        proposals, distances = widest_gaps(points, min(config.k, len(points) - 1))
        wanted = min(count - len(points), max(1, int(len(points) * config.share)))
        found = project(value_and_gradient, proposals[distances.topk(wanted).indices], projection)
        inserted = found.points[found.converged]
        if len(inserted) == 0:
            break
        points = torch.cat([points, inserted])
    return points


def widest_gaps(points: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """For every point (P, 3) its best proposal (P, 3) and the distance (P,) of that to the nearest of the k neighbours
    and the point itself."""
    neighbors = nearest_neighbors(points, points, k + 1).indices
    chunks = [_widest_gaps(points, chunk) for chunk in neighbors.split(_CHUNK)]
    proposals, distances = (torch.cat(parts) for parts in zip(*chunks, strict=True))
    return proposals, distances


def _widest_gaps(points: torch.Tensor, neighbors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    around = points[neighbors]
    proposals = (2 * around[:, :1] + around[:, 1:]) / 3
    nearest, best = torch.cdist(proposals, around).amin(dim=2).max(dim=1)
    return proposals[torch.arange(len(best), device=best.device), best], nearest
