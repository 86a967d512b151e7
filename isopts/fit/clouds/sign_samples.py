"""Samples away from the scan whose side of the surface and distance are known before the fit."""

from typing import NamedTuple

import torch

from isopts.fit.clouds.prepared_cloud import PreparedCloud
from isopts.geometry.flattening import flattened
from isopts.geometry.spacing import areas
from isopts.kernels.neighbors import nearest_neighbors
from isopts.kernels.winding_number import winding_number

_NEAR_STD = 0.08  # half of the samples lie within about this distance of the scan, unit frame
_MARGIN_MIN = 0.02  # nearer samples say nothing that the scan itself does not say
_AREA_NEIGHBORS = 16
_AREA_MAX = 30.0  # of the median: a sparse wall counts fully, an outlier does not
_LEVEL_POINTS = 2000  # points of the scan that tell the winding number on the surface
_LEVEL_MIN = 0.1  # half of what is left of 1 inside when two fifths of the normals are wrong


class SignSamples(NamedTuple):
    """points (M, 3), unit frame. distances (M,): to the nearest point of the scan. signs (M,): +1 outside, -1 inside.
    confidences (M,): 0 where the winding number is undecided, 1 where it is 0 or as far above the surface's level."""

    points: torch.Tensor
    distances: torch.Tensor
    signs: torch.Tensor
    confidences: torch.Tensor


def draw_sign_samples(cloud: PreparedCloud, count: int, generator: torch.Generator) -> SignSamples:
    """Half uniform in [-1, 1]^3, half around the scan; those within the noise of the scan are left out, so fewer than
    `count` come back.

    The winding number tells the side. Each point counts with the area that it stands for on the flattened scan: noise
    widens areas, and unevenly, so that a dense, noisy outer wall would outweigh the sparse wall of a bore and fill it.
    Inside is above the level at the points of the scan, as in Poisson reconstruction: 1/2, less with wrong normals.
    """
    uniform = 2 * torch.rand((count // 2, 3), generator=generator) - 1
    chosen = torch.randint(len(cloud.points), (count - count // 2,), generator=generator)
    noise = _NEAR_STD * torch.randn((len(chosen), 3), generator=generator)
    near = cloud.points[chosen.to(cloud.points.device)] + noise.to(cloud.points)
    points = torch.cat((uniform.to(near), near.clamp(-1, 1)))
    surface = flattened(cloud.points, cloud.normals)
    distances = nearest_neighbors(points, surface, 1).squared_distances[:, 0].sqrt()
    margin = max(_MARGIN_MIN, 3 * cloud.noise, 2 * cloud.spacing)
    margin = min(margin, float(distances.sort().values[3 * len(distances) // 4]))  # few points are far apart everywhere
    points, distances = points[distances > margin], distances[distances > margin]
    some = torch.randint(len(surface), (_LEVEL_POINTS,), generator=generator).to(surface.device)
    winding = _winding_number(torch.cat((points, surface[some])), surface, cloud)
    winding, on_surface = winding[: len(points)], winding[len(points) :]
    level = min(max(float(on_surface.median()), _LEVEL_MIN), 0.5)
    signs = torch.where(winding > level, -1.0, 1.0)
    return SignSamples(points, distances, signs, ((winding - level).abs() / level).clamp(0, 1))


def _winding_number(queries: torch.Tensor, surface: torch.Tensor, cloud: PreparedCloud) -> torch.Tensor:
    spread = areas(surface, k=_AREA_NEIGHBORS)
    spread = spread.clamp_max(_AREA_MAX * spread.median())
    return winding_number(queries, surface, cloud.normals * spread[:, None], softening=2 * cloud.spacing)
