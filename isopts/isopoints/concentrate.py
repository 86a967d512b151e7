"""More iso-points where a score is high: the paper's importance sampling."""

import torch
from pydantic import Field

from isopts.config import StrictModel
from isopts.isopoints.project import ProjectionConfig, ValueAndGradient, project
from isopts.kernels.farthest_points import farthest_points
from isopts.kernels.neighbors import nearest_neighbors


class ConcentrateConfig(StrictModel):
    """The defaults are the paper's."""

    references: int = Field(5000, ge=1, description="at most so many evenly spread iso-points are judged")
    share: float = Field(
        0.05, gt=0, le=1, description="of the references, at most so many are chosen when few stand out"
    )
    chosen: int = Field(50, ge=1, description="and at most so many")
    reach: float = Field(2.0, gt=0, description="iso-points within so many spacings of a chosen one become fathers")
    children: int = Field(8, ge=1, description="new points a father: at 2/3 father + 1/3 neighbour, then projected")
    children_share: float = Field(1.0, gt=0, description="most new points, as a share of the iso-points; at random")


def high_scores(scores: torch.Tensor, config: ConcentrateConfig) -> torch.Tensor:
    """(R,) bool: scores (R,) above min(2 median, max / 2); when none is, or too many are, the highest
    min(chosen, share * R) of them (METHOD section 1, importance)."""
    count = len(scores)
    most = max(1, min(config.chosen, round(config.share * count)))
    high = scores > torch.minimum(2 * scores.median(), 0.5 * scores.max())
    if 0 < int(high.sum()) <= most:
        return high
    return torch.zeros_like(high).index_fill_(0, scores.topk(min(most, count)).indices, True)


@torch.no_grad()
def concentrate(
    value_and_gradient: ValueAndGradient,
    points: torch.Tensor,
    scores: torch.Tensor,
    spacing: float,
    config: ConcentrateConfig,
    projection: ProjectionConfig,
    generator: torch.Generator | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Additional iso-points around those of `points` (N, 3) whose `scores` (N,) stand out.

    Args:
        spacing: mean distance of neighbours among the points.

    Returns:
        Children (C, 3) on the surface and their unit normals (C, 3).
    """
    references = farthest_points(points, min(config.references, len(points)))
    chosen = points[references[high_scores(scores[references], config)]]
    distances = nearest_neighbors(points, chosen, 1).squared_distances[:, 0].sqrt()
    fathers = torch.nonzero(distances <= config.reach * spacing)[:, 0]
    k = min(config.children + 1, len(points))
    neighbors = nearest_neighbors(points[fathers], points, k).indices[:, 1:]
    children = (2 * points[fathers][:, None] + points[neighbors]).view(-1, 3) / 3
    most = round(config.children_share * len(points))
    if len(children) > most:
        children = children[torch.randperm(len(children), generator=generator)[:most].to(points.device)]
    found = project(value_and_gradient, children, projection)
    return found.points[found.converged], found.normals[found.converged]
