"""Checks, the tree's moments, and the launch of the dipole sum."""

import torch
from torch.nn import functional

from isopts.errors import InputError
from isopts.kernels.launch import launch
from isopts.kernels.point_tree import BLOCK, FAN_OUT, PointTree, build_point_tree
from isopts.kernels.winding_number.kernel import sum_dipoles


def winding_number(
    queries: torch.Tensor,
    points: torch.Tensor,
    area_normals: torch.Tensor,
    softening: float = 0.0,
    opening: float = 2.0,
) -> torch.Tensor:
    """Generalised winding number (Q,) float32: about 1 inside, 0 outside of a cloud that samples a closed surface.

    Args:
        queries: (Q, 3) float32.
        points: (N, 3) float32. No point: the result is 0.
        area_normals: (N, 3) float32, outward unit normal times the area that the point stands for.
        softening: distances are not taken smaller than this, so that a query near a point stays bounded.
        opening: larger is more exact and slower; 2 is within about 0.02 of the exact sum.

    Not differentiable. Raises InputError for other shapes or dtypes.
    """
    for name, tensor in (("queries", queries), ("points", points), ("area_normals", area_normals)):
        if tensor.ndim != 2 or tensor.shape[1] != 3 or tensor.dtype != torch.float32:
            raise InputError(f"{name} is {tuple(tensor.shape)} {tensor.dtype}; expected (n, 3) float32")
    if len(points) != len(area_normals):
        raise InputError(f"{len(points)} points but {len(area_normals)} area_normals; expected one for each point")
    winding = torch.zeros(len(queries), device=queries.device)
    if len(points) == 0:
        return winding
    tree = build_point_tree(points)
    moments = area_normals[tree.indices.long()].contiguous()
    boxes = _box_moments(tree, moments)
    launch(
        sum_dipoles,
        len(queries),
        [queries.contiguous(), softening, opening, tree.points, moments, *boxes, tree.first_child, winding],
        queries.device,
    )
    return winding


def _box_moments(tree: PointTree, moments: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of every box: the area-weighted centre (B, 3), the radius around it (B,), the sum of the moments (B, 3)."""
    areas = moments.norm(dim=1, keepdim=True) + torch.finfo(moments.dtype).tiny  # points without area have a place too
    sums = torch.cat((areas, areas * tree.points, moments), 1)
    levels = [_sum_groups(sums, BLOCK)]
    while len(levels[-1]) > 1:
        levels.append(_sum_groups(levels[-1], FAN_OUT))
    sums = torch.cat(levels)
    centers = (sums[:, 1:4] / sums[:, :1]).clamp(tree.low, tree.high)
    radii = torch.maximum(tree.high - centers, centers - tree.low).norm(dim=1)
    return centers.contiguous(), radii, sums[:, 4:].contiguous()


def _sum_groups(values: torch.Tensor, size: int) -> torch.Tensor:
    """Sums of `size` consecutive rows; the last group may be short."""
    missing = -len(values) % size
    return functional.pad(values, (0, 0, 0, missing)).view(-1, size, values.shape[1]).sum(dim=1)
