"""Which points of a scan do not belong to a surface."""

import torch

from isopts.geometry.normals import LocalPlanes, local_planes
from isopts.kernels.neighbors import nearest_neighbors


def scattered_points(points: torch.Tensor, k: int = 16, ratio_max: float = 0.2) -> torch.Tensor:
    """(N,) bool, True where the k nearest neighbours fill space instead of a sheet.

    lambda_min / lambda_max, the smallest over the largest variance of the neighbourhood, exceeds `ratio_max`: it is
    0 on a plane and 1 in a ball.
    """
    variances = local_planes(points, nearest_neighbors(points, points, k).indices).variances
    return variances[:, 0] > ratio_max * variances[:, 2]


def remote_points(points: torch.Tensor, k: int = 20, deviations: float = 2.0) -> torch.Tensor:
    """(N,) bool, True where the mean distance to the k nearest neighbours is `deviations` standard deviations above
    the average of all points."""
    k = min(k, len(points) - 1)
    if k < 1:
        return torch.zeros(len(points), dtype=torch.bool, device=points.device)
    squared = nearest_neighbors(points, points, k + 1).squared_distances[:, 1:]
    distances = squared.sqrt().mean(dim=1)
    return distances > distances.mean() + deviations * distances.std()


def stray_points(
    points: torch.Tensor, planes: LocalPlanes, flatness_max: float = 0.35, residuals: float = 3.0
) -> torch.Tensor:
    """(N,) bool, True where a point is off its own plane by more than `residuals` of the plane's standard deviation,
    or where that plane is none: lambda_min exceeds `flatness_max` lambda_middle.

    For `planes` of each of `points` (N, 3) at their own scale, see adaptive_planes: sparse surfaces are not stray.
    Outliers that happen to lie on a plane of others stay.
    """
    heights = ((points - planes.centers) * planes.normals).sum(dim=1)
    off = heights.square() > residuals**2 * planes.variances[:, 0]
    return off | (planes.variances[:, 0] > flatness_max * planes.variances[:, 1])
