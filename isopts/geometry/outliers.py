"""Which points of a scan do not belong to a surface."""

import torch

from isopts.geometry.normals import LocalPlanes, local_planes

_FAR, _FAR_WITHOUT_NORMALS = 1.8, 2.5  # neighbourhoods this many times wider than most may be clutter
_FILLS_SPACE = 0.15  # lambda_min / lambda_max of the positions: 0 on a plane, about 0.3 for 16 points in a ball
_ALL_WAYS = 0.1  # smallest eigenvalue of the mean of n n^T: 0 on an edge and on both sides of a wall, 1/3 at random


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


def clutter(points: torch.Tensor, normals: torch.Tensor | None, neighbors: torch.Tensor) -> torch.Tensor:
    """(N,) bool, True where a point is among outliers rather than beside a surface, even if there are many of them.

    Its `neighbors` (N, K), the nearest first, reach farther than those of most points and fill space; unit `normals`
    (N, 3), where given, look all ways there, as on a sparse thin wall or rod they do not.
    """
    radius = (points - points[neighbors[:, -1]]).norm(dim=1)
    far = _FAR_WITHOUT_NORMALS if normals is None else _FAR
    sparse = torch.nonzero(radius > far * radius.median()).ravel()
    variances = local_planes(points, neighbors[sparse].contiguous()).variances
    is_clutter = variances[:, 0] > _FILLS_SPACE * variances[:, 2]
    if normals is not None:
        around = normals[neighbors[sparse]].double()
        spread = torch.linalg.eigvalsh(around.transpose(1, 2) @ around / neighbors.shape[1])
        is_clutter &= spread[:, 0] > _ALL_WAYS
    found = torch.zeros(len(points), dtype=torch.bool, device=points.device)
    found[sparse] = is_clutter
    return found
