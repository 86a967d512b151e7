"""Fewer points for the same surface: neighbours averaged in groups of equal size."""

from typing import NamedTuple

import torch
from torch.nn import functional

from isopts.kernels.point_tree import curve_order

_REACH = 3.0  # of the median distance within a group: farther members are across a gap, or outliers
_SAME_SIDE_COSINE = 0.5  # members turned further away belong to another side of an edge or a wall
_CHUNK = 1 << 20  # points averaged at a time


class ThinnedPoints(NamedTuple):
    """points (M, 3); normals (M, 3), unit, or None where none were given."""

    points: torch.Tensor
    normals: torch.Tensor | None


def thin_points(points: torch.Tensor, normals: torch.Tensor | None, group: int) -> ThinnedPoints:
    """One point for every `group` of the points (N, 3), float32, with unit normals (N, 3).

    The groups are consecutive along a Hilbert curve. Of each, the middle point is averaged with the members that are
    near it and face the same way. Where the noise is small against the distance of the points left, it falls by
    sqrt(group). Where it is larger, what is left is a systematic sample: density, noise and the share of outliers and
    of wrong normals stay as they are, because every point left stands for the same number of points.
    """
    order = curve_order(points, run_length=group)
    middle = order[torch.arange(group // 2, len(order), group, device=order.device)]
    groups = functional.pad(order, (0, -len(order) % group), value=-1).view(-1, group)[: len(middle)]
    chunk = max(1, _CHUNK // group)
    reach = _REACH * _median_distance(points, middle, groups, chunk)
    parts = [
        _average(points, normals, some_middle, some_groups, reach)
        for some_middle, some_groups in zip(middle.split(chunk), groups.split(chunk), strict=True)
    ]
    thinned = torch.cat([part.points for part in parts])
    return ThinnedPoints(thinned, None if normals is None else torch.cat([part.normals for part in parts]))


def _median_distance(points: torch.Tensor, middle: torch.Tensor, groups: torch.Tensor, chunk: int) -> float:
    """Of members from the middle of their group; judged from groups spread over the whole cloud."""
    some = slice(None, None, -(-len(middle) // chunk))
    distances = (points[groups[some].clamp_min(0)] - points[middle[some]][:, None]).norm(dim=2)
    return float(distances.median())


def _average(
    points: torch.Tensor, normals: torch.Tensor | None, middle: torch.Tensor, groups: torch.Tensor, reach: float
) -> ThinnedPoints:
    members = groups.clamp_min(0)
    offsets = points[members] - points[middle][:, None]  # (M, group, 3)
    near = (groups >= 0) & (offsets.square().sum(dim=2) <= reach**2)
    facing = None
    if normals is not None:
        facing = normals[members]
        near &= torch.einsum("mgd,md->mg", facing, normals[middle]) >= _SAME_SIDE_COSINE
    near = near.to(points.dtype)
    means = torch.einsum("mgd,mg->md", offsets, near) / near.sum(dim=1).clamp_min(1)[:, None]
    averaged = None if facing is None else functional.normalize(torch.einsum("mgd,mg->md", facing, near), dim=1)
    return ThinnedPoints(points[middle] + means, averaged)
