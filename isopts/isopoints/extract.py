"""Well-spread points on the zero set of a field."""

from dataclasses import dataclass

import torch
from pydantic import Field

from isopts.config import StrictModel
from isopts.geometry.surface_cells import CellGrid
from isopts.isopoints.candidates import candidates, choose, jittered, points_in_surface_cells
from isopts.isopoints.project import ProjectionConfig, ValueAndGradient
from isopts.isopoints.quality import IsoPointsQuality, measure_quality
from isopts.isopoints.resample import ResampleConfig, resample


class IsoPointsConfig(StrictModel):
    """How iso-points are made."""

    projection: ProjectionConfig = Field(ProjectionConfig(), description="when a point is on the surface")
    resample: ResampleConfig = Field(ResampleConfig(), description="how points spread over it")
    jitter: float = Field(0.05, ge=0, description="seeds move by up to this on each axis before projection, unit frame")
    candidates_per_point: float = Field(
        2.0, ge=1, description="surface points to choose from; more find smaller parts and cost time"
    )
    cell_resolution: int = Field(
        96,
        ge=8,
        description="cells along the domain's side when there are no seeds; smaller parts are missed",
    )


@dataclass(frozen=True)
class IsoPoints:
    """points (N, 3), unit outward normals (N, 3) and signed distances (N,), all in the unit frame; their quality."""

    points: torch.Tensor
    normals: torch.Tensor
    values: torch.Tensor
    quality: IsoPointsQuality


@torch.no_grad()
def extract_isopoints(
    value_and_gradient: ValueAndGradient,
    count: int,
    config: IsoPointsConfig | None = None,
    seeds: torch.Tensor | None = None,
    generator: torch.Generator | None = None,
    device: torch.device | str = "cpu",
) -> IsoPoints:
    """`count` evenly spread points of the zero set within [-1, 1]^3 (Iso-Points, section 3.1).

    Args:
        value_and_gradient: (N, 3) -> signed distance (N,), gradient (N, 3).
        count: points wanted. Fewer come back only where fewer candidates than that are on the surface; none where
            there is no surface.
        seeds: (S, 3) points near the whole surface, such as the previous iso-points; None searches the domain.
        generator: of the CPU; None uses torch's global one.
        device: of the field; with seeds, theirs counts.
    """
    config = config or IsoPointsConfig()
    grid = CellGrid(config.cell_resolution)
    wanted = int(count * config.candidates_per_point)
    if seeds is None:
        starts = points_in_surface_cells(value_and_gradient, wanted, grid, device, generator)
    else:
        starts = jittered(seeds, wanted, config.jitter, generator)
    found = candidates(value_and_gradient, starts, grid, config.projection)
    chosen = found.points[choose(found, count, generator)]
    spread = resample(value_and_gradient, chosen, float(found.areas.sum()), config.resample, config.projection)
    kept = spread.converged & ((spread.points >= grid.low) & (spread.points <= grid.high)).all(dim=1)
    points, values = spread.points[kept], spread.values[kept]
    quality = measure_quality(points, values, found.points, found.unconverged)
    return IsoPoints(points, spread.normals[kept], values, quality)
