"""The definition: the k-th largest, over the views, of the distance to the cone through a silhouette."""

import torch

from isopts.kernels.visual_hull.silhouettes import HullDistances, Silhouettes


def visual_hull_reference(
    points: torch.Tensor, silhouettes: Silhouettes, rank: int, views_min: int, unseen: float
) -> HullDistances:
    """d_v(x) = (2D signed distance at x's pixel in view v) * depth / focal length. See op.py."""
    columns = []
    for view, matrix in enumerate(silhouettes.projections):
        u, v, depth = (points @ matrix[:, :3].T + matrix[:, 3]).unbind(1)
        width, height = silhouettes.sizes[view].tolist()
        start = int(silhouettes.first[view])
        image = silhouettes.maps[start : start + width * height].view(height, width)
        u, v = u / depth, v / depth
        inside = (depth > 0) & (u >= -0.5) & (u <= width - 0.5) & (v >= -0.5) & (v <= height - 0.5)
        distance = _bilinear(image, u.nan_to_num().clamp(0, width - 1), v.nan_to_num().clamp(0, height - 1))
        distance = distance * depth / silhouettes.focal_lengths[view]
        columns.append(torch.where(inside, distance, -torch.inf))
    table = torch.stack(columns, dim=1)  # (N, V)
    seen = (table > -torch.inf).sum(dim=1)
    values, order = table.sort(dim=1, descending=True, stable=True)
    enough = seen >= max(views_min, rank)
    distances = (
        torch.where(enough, values[:, rank - 1], unseen) if rank <= table.shape[1] else torch.full_like(u, unseen)
    )
    views = torch.where(enough, order[:, min(rank, table.shape[1]) - 1], -1)
    return HullDistances(distances, seen.int(), views.int())


def _bilinear(image: torch.Tensor, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    height, width = image.shape
    left, top = u.floor().long().clamp(max=max(width - 2, 0)), v.floor().long().clamp(max=max(height - 2, 0))
    right, bottom = (left + 1).clamp(max=width - 1), (top + 1).clamp(max=height - 1)
    a, b = u - left, v - top
    upper = (1 - a) * image[top, left] + a * image[top, right]
    lower = (1 - a) * image[bottom, left] + a * image[bottom, right]
    return (1 - b) * upper + b * lower
