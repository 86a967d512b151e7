"""Samples away from the scan whose side of the surface and distance are known before the fit."""

from typing import NamedTuple

import torch

from isopts.fit.prepared_cloud import PreparedCloud
from isopts.kernels.neighbors import nearest_neighbors
from isopts.kernels.winding_number import winding_number

_NEAR_STD = 0.08  # half of the samples lie within about this distance of the scan, unit frame
_MARGIN_MIN = 0.02  # nearer samples say nothing that the scan itself does not say


class SignSamples(NamedTuple):
    """points (M, 3), unit frame. distances (M,): to the nearest point of the scan. signs (M,): +1 outside, -1 inside.
    confidences (M,): 0 where the winding number is undecided, 1 where it is 0 or 1."""

    points: torch.Tensor
    distances: torch.Tensor
    signs: torch.Tensor
    confidences: torch.Tensor


def draw_sign_samples(cloud: PreparedCloud, count: int, generator: torch.Generator) -> SignSamples:
    """Half uniform in [-1, 1]^3, half around the scan; those within the noise of the scan are left out, so fewer than
    `count` come back. The winding number tells the side: it needs oriented normals but tolerates some wrong ones."""
    uniform = 2 * torch.rand((count // 2, 3), generator=generator) - 1
    chosen = torch.randint(len(cloud.points), (count - count // 2,), generator=generator)
    noise = _NEAR_STD * torch.randn((len(chosen), 3), generator=generator)
    near = cloud.points[chosen.to(cloud.points.device)] + noise.to(cloud.points)
    points = torch.cat((uniform.to(near), near.clamp(-1, 1)))
    distances = nearest_neighbors(points, cloud.points, 1).squared_distances[:, 0].sqrt()
    margin = max(_MARGIN_MIN, 3 * cloud.noise, 2 * cloud.spacing)
    points, distances = points[distances > margin], distances[distances > margin]
    winding = winding_number(points, cloud.points, cloud.normals * cloud.areas[:, None], softening=2 * cloud.spacing)
    signs = torch.where(winding > 0.5, -1.0, 1.0)
    return SignSamples(points, distances, signs, (2 * (winding - 0.5).abs()).clamp(0, 1))
