"""Well-spread points on the zero set of a field."""

from dataclasses import dataclass
from typing import Literal

import torch
from pydantic import Field

from isopts.config import StrictModel
from isopts.geometry.surface_cells import CellGrid
from isopts.isopoints.candidates import Candidates, candidates, choose, inside, jittered, points_in_surface_cells
from isopts.isopoints.edge_aware import EdgeAwareConfig, resample_edge_aware
from isopts.isopoints.project import ProjectionConfig, ValueAndGradient, project
from isopts.isopoints.quality import IsoPointsQuality, measure_quality
from isopts.isopoints.resample import ResampleConfig, resample
from isopts.isopoints.upsample import UpsampleConfig, upsample
from isopts.isopoints.wlop import WlopConfig, wlop


class IsoPointsConfig(StrictModel):
    """How iso-points are made."""

    method: Literal["uniform", "paper", "released"] = Field(
        "uniform",
        description="uniform: even from the start, most even; paper: resampling of the projected points, then "
        "up-sampling; released: the authors' code, WLOP down-sampling then up-sampling",
    )
    projection: ProjectionConfig = Field(ProjectionConfig(), description="when a point is on the surface")
    resample: ResampleConfig = Field(ResampleConfig(), description="how points spread; uniform and paper")
    wlop: WlopConfig = Field(WlopConfig(), description="down-sampling; released only")
    upsample: UpsampleConfig = Field(UpsampleConfig(), description="insertion; paper and released")
    edge_aware: EdgeAwareConfig | None = Field(
        None, description="give part of the points to sharp edges; the normals are then bilateral, not gradients"
    )
    jitter: float = Field(0.05, ge=0, description="seeds move by up to this on each axis before projection, unit frame")
    candidates_per_point: float = Field(
        2.0, ge=1, description="surface points to choose from; more find smaller parts and cost time"
    )
    cell_resolution: int = Field(
        96, ge=8, description="cells along the domain's side when there are no seeds; smaller parts are missed"
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
    found = _candidates(value_and_gradient, count, config, seeds, generator, device)
    evenly = count if config.edge_aware is None else max(2, round(count / config.edge_aware.growth))
    match config.method:
        case "uniform":
            points = found.points[choose(found, evenly, generator)]
            points = resample(value_and_gradient, points, found.area, config.resample, config.projection).points
        case "paper":
            points = _some(found.points, evenly, generator)
            points = resample(value_and_gradient, points, found.area, config.resample, config.projection).points
            points = upsample(value_and_gradient, points, evenly, config.upsample, config.projection)
        case "released":
            points = _released(value_and_gradient, found.points, evenly, config, generator)
    if config.edge_aware is None:
        final = project(value_and_gradient, points, config.projection)
    else:
        final = resample_edge_aware(value_and_gradient, points, count, config.edge_aware, config.projection)
    kept = final.converged & inside(final.points, grid)
    points, values = final.points[kept], final.values[kept]
    quality = measure_quality(points, values, found.points, found.unconverged)
    return IsoPoints(points, final.normals[kept], values, quality)


def _candidates(
    value_and_gradient: ValueAndGradient,
    count: int,
    config: IsoPointsConfig,
    seeds: torch.Tensor | None,
    generator: torch.Generator | None,
    device: torch.device | str,
) -> Candidates:
    grid = CellGrid(config.cell_resolution)
    wanted = int(count * config.candidates_per_point)
    if seeds is None:
        starts = points_in_surface_cells(value_and_gradient, wanted, grid, device, generator)
    else:
        starts = jittered(seeds, wanted, config.jitter, generator)
    return candidates(value_and_gradient, starts, grid, config.projection)


def _some(points: torch.Tensor, count: int, generator: torch.Generator | None) -> torch.Tensor:
    """Up to `count` of `points` (M, 3), each as likely as any other."""
    return points[torch.randperm(len(points), generator=generator)[:count].to(points.device)]


def _released(
    value_and_gradient: ValueAndGradient,
    cloud: torch.Tensor,
    count: int,
    config: IsoPointsConfig,
    generator: torch.Generator | None,
) -> torch.Tensor:
    """WLOP down-sampling to at most half of the cloud, projection, up-sampling to `count`."""
    samples = wlop(_some(cloud, min(count, len(cloud) // 2), generator), cloud, config.wlop)
    projection = project(value_and_gradient, samples, config.projection)
    samples = projection.points[projection.converged]
    return upsample(value_and_gradient, samples, count, config.upsample, config.projection)
