"""How far each data point is trusted, judged from the iso-points near it."""

import math
from typing import Literal

import torch

from isopts.kernels.neighbors import nearest_neighbors

WeightMode = Literal["none", "plane", "bilateral", "heat_kernel"]

_NORMAL_WIDTH = 1 - math.cos(math.radians(60))


def data_weights(
    mode: WeightMode,
    points: torch.Tensor,
    normals: torch.Tensor,
    isopoints: torch.Tensor,
    isopoint_normals: torch.Tensor,
    plane_width: float | None = None,
    reach: float = 0.1,
) -> torch.Tensor:
    """Weights (N,) in [0, 1] of data points (N, 3); no gradient flows through them.

    With q the iso-point nearest to p, n_q and n_p their normals (paper, section on point clouds):
        plane        exp(-<n_q, p - q>^2 / width^2)
        bilateral    plane * exp(-((1 - <n_p, n_q>) / (1 - cos 60))^2)
        heat_kernel  plane averaged over the 8 nearest iso-points with Gaussian weights of their distance (as RIMLS)
        none         1
    A point farther than `reach` from every iso-point gets 0.

    Args:
        isopoints, isopoint_normals: (M, 3) each, M at least 1; the normals are unit vectors.
        plane_width: distance from the plane at which the weight is 1/e, or twice the median distance of the points
            where that is more: while the field is still far from the scan, it must not distrust all of it. None: the
            paper's sqrt(32 max|q| / M), which assumes the paper's point counts and is not scale-free.
        reach: unit frame.
    """
    if mode == "none":
        return torch.ones_like(points[:, 0])
    found = nearest_neighbors(points, isopoints, 8 if mode == "heat_kernel" else 1)
    present = found.indices >= 0
    nearest = found.indices.clamp_min(0)
    heights = ((points[:, None] - isopoints[nearest]) * isopoint_normals[nearest]).sum(dim=2)
    plane = torch.exp(-heights.square() / _squared_width(heights, isopoints, plane_width))  # (N, K)
    match mode:
        case "plane":
            weights = plane[:, 0]
        case "bilateral":
            cosines = (normals * isopoint_normals[nearest[:, 0]]).sum(dim=1)
            weights = plane[:, 0] * normal_agreement(cosines)
        case "heat_kernel":
            squared = found.squared_distances.clamp_min(0)
            scale = squared.amax(dim=1, keepdim=True).clamp_min(torch.finfo(squared.dtype).tiny)
            closeness = torch.exp(-4 * squared / scale) * present
            weights = (closeness * plane).sum(dim=1) / closeness.sum(dim=1)
    return weights * (found.squared_distances[:, 0] <= reach**2)


def _squared_width(heights: torch.Tensor, isopoints: torch.Tensor, plane_width: float | None) -> float:
    if plane_width is None:
        return 32 * float(isopoints.abs().max()) / len(isopoints)
    return max(plane_width, 2 * float(heights[:, 0].abs().median())) ** 2


def normal_agreement(cosines: torch.Tensor) -> torch.Tensor:
    """exp(-((1 - cos) / (1 - cos 60))^2): 1 for equal normals, 1/e at 60 degrees."""
    return torch.exp(-(((1 - cosines) / _NORMAL_WIDTH) ** 2))
