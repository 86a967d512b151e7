"""Figures that say how good a set of iso-points is."""

import math
from dataclasses import asdict, dataclass

import torch

from isopts.geometry.spacing import nearest_distances
from isopts.kernels.neighbors import nearest_neighbors


@dataclass(frozen=True)
class IsoPointsQuality:
    """residual_max, residual_mean: |f| at the points. spacing: mean distance to the nearest other point.
    spacing_variation: coefficient of variation of that distance (0.52 for a random sample, 0 for a lattice).
    largest_hole: largest distance from the surface to the nearest iso-point, in spacings. unconverged: share of the
    projected candidates that never reached the surface; they are left out. Lengths are in the unit frame.
    """

    count: int
    residual_max: float
    residual_mean: float
    spacing: float
    spacing_variation: float
    largest_hole: float
    unconverged: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def measure_quality(
    points: torch.Tensor, values: torch.Tensor, surface: torch.Tensor, unconverged: float
) -> IsoPointsQuality:
    """Quality of iso-points (N, 3) with field values (N,) against a denser sample (S, 3) of the same surface.

    Everything is not-a-number for fewer than two points.
    """
    if len(points) < 2:
        return IsoPointsQuality(len(points), *[math.nan] * 5, unconverged)
    distances = nearest_distances(points)
    spacing = float(distances.mean())
    hole = float(nearest_neighbors(surface, points, 1).squared_distances.max().sqrt()) if len(surface) else math.nan
    return IsoPointsQuality(
        count=len(points),
        residual_max=float(values.abs().max()),
        residual_mean=float(values.abs().mean()),
        spacing=spacing,
        spacing_variation=float(distances.std()) / spacing if spacing > 0 else math.inf,
        largest_hole=hole / spacing if spacing > 0 else math.inf,
        unconverged=unconverged,
    )
