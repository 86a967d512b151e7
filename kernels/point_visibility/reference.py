"""The definition: a point is visible unless a point in front of it covers its pixel."""

import torch

from isopts.kernels.point_visibility.kernel import FACING_COSINE_MIN, SLOPE_COSINE_MIN
from isopts.kernels.point_visibility.views import DepthViews


def point_visibility_reference(
    points: torch.Tensor, normals: torch.Tensor, views: DepthViews, radius: float, tolerance: float, cosine_min: float
) -> torch.Tensor:
    """Cosines (N, V), 0 where not visible. See op.py."""
    cosines = points.new_zeros(len(points), len(views.sizes))
    for view, (width, height) in enumerate(views.sizes.tolist()):
        matrix = views.projections[view]
        u, v, depth = (points @ matrix[:, :3].T + matrix[:, 3]).unbind(1)
        u, v = u / depth, v / depth
        cosine = (normals * torch.nn.functional.normalize(views.centers[view] - points, dim=1)).sum(dim=1)
        reach = (views.focal_lengths[view] * radius / depth).clamp(0.5, width + height)
        facing = (depth > 0) & (cosine >= FACING_COSINE_MIN)
        nearest = _splat(u[facing], v[facing], depth[facing], reach[facing], width, height)
        column, row = (u + 0.5).floor(), (v + 0.5).floor()
        inside = (depth > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
        pixel = torch.where(inside, row * width + column, 0).long()
        seen = depth < nearest[pixel] + tolerance / cosine.clamp(min=SLOPE_COSINE_MIN)
        cosines[:, view] = torch.where(inside & seen & (cosine >= cosine_min), cosine, 0)
    return cosines


def _splat(
    u: torch.Tensor, v: torch.Tensor, depth: torch.Tensor, reach: torch.Tensor, width: int, height: int
) -> torch.Tensor:
    """Depth map (height * width,): the least depth whose square |column - u|, |row - v| <= reach has the pixel."""
    nearest = torch.full((height * width,), torch.inf, dtype=depth.dtype, device=depth.device)
    left, right = (u - reach).clamp(0, width).ceil().long(), (u + reach).clamp(-1, width - 1).floor().long()
    top, bottom = (v - reach).clamp(0, height).ceil().long(), (v + reach).clamp(-1, height - 1).floor().long()
    columns, rows = (int((end - begin).amax()) + 1 if len(u) else 0 for begin, end in ((left, right), (top, bottom)))
    for y in range(rows):
        for x in range(columns):
            covered = (left + x <= right) & (top + y <= bottom)
            pixel = (top + y) * width + left + x
            nearest.scatter_reduce_(0, pixel[covered], depth[covered], "amin")
    return nearest
