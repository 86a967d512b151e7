"""Where the scan supports a surface: judged at iso-points, so that a checkpoint can carry it."""

from collections.abc import Mapping
from typing import NamedTuple

import torch

from isopts.errors import InputError
from isopts.kernels.neighbors import nearest_neighbors

_NEIGHBORS = 16
_SPACING_NEIGHBORS = 3  # scan points near an iso-point whose spacing counts
_THICKNESS = 3.0  # noise levels within which points belong to the surface
_FAR = 4.0  # beyond the domain; an infinite clearance would not average

SUPPORT_REACH = 3.0
"""How far from the scan it supports a surface, in spacings of its points or levels of its noise."""

SUPPORT_TENSORS = ("isopoint_clearances", "isopoint_spacings")
"""Names in a checkpoint, beside the iso-points themselves."""


class Support(NamedTuple):
    """points (M, 3): iso-points, unit frame; normals (M, 3), unit.
    clearances (M,): distance along the surface to the nearest scan point on the same side; infinite without one near.
    spacings (M,): distance between the scan points there."""

    points: torch.Tensor
    normals: torch.Tensor
    clearances: torch.Tensor
    spacings: torch.Tensor


def judge_support(
    points: torch.Tensor, normals: torch.Tensor, scan_points: torch.Tensor, scan_normals: torch.Tensor, noise: float
) -> Support:
    """How far iso-points (M, 3) with unit normals (M, 3) are from the scan, points and unit normals (N, 3), N >= 2.

    Across the surface only what exceeds the noise counts as distance. Points on the opposite side of a thin sheet do
    not count: what closes an open sheet behind it is near the scan and yet unsupported. The spacing is the largest of
    the nearest scan points', so that a sparse place beside a dense one is no hole.
    """
    k = min(_NEIGHBORS, len(scan_points))
    found = nearest_neighbors(points, scan_points, k)
    heights = ((scan_points[found.indices] - points[:, None]) * normals[:, None]).sum(dim=2)
    aside = (found.squared_distances - heights.square()).clamp_min(0)
    beyond = (heights.abs() - _THICKNESS * noise).clamp_min(0)
    same_side = (scan_normals[found.indices] * normals[:, None]).sum(dim=2) > 0
    clearances = torch.where(same_side, (aside + beyond.square()).sqrt(), torch.inf).amin(dim=1)
    chosen, place = torch.unique(found.indices[:, :_SPACING_NEIGHBORS], return_inverse=True)
    squared_radii = nearest_neighbors(scan_points[chosen], scan_points, k).squared_distances[:, -1]
    spacings = (torch.pi * squared_radii / k).sqrt()[place].amax(dim=1)
    return Support(points, normals, clearances, spacings)


def interpolate_support(
    support: Support, points: torch.Tensor, normals: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Clearances (V,), infinite where no iso-point of the same side is near, and spacings (V,) at points (V, 3) of the
    surface with unit normals: averages over the nearest iso-points, with Gaussian weights as wide as their distances.
    """
    found = nearest_neighbors(points, support.points, min(_NEIGHBORS, len(support.points)))
    width = found.squared_distances[:, :4].mean(dim=1, keepdim=True).clamp_min(1e-12)
    weights = torch.exp(-found.squared_distances / width)
    spacings = (weights * support.spacings[found.indices]).sum(dim=1) / weights.sum(dim=1)
    weights = weights * ((support.normals[found.indices] * normals[:, None]).sum(dim=2) > 0)
    total = weights.sum(dim=1)
    clearances = (weights * support.clearances[found.indices].clamp_max(_FAR)).sum(dim=1) / total.clamp_min(1e-12)
    return torch.where(total > 0, clearances, torch.inf), spacings


def stored_support(tensors: Mapping[str, torch.Tensor], device: torch.device) -> Support | None:
    """From a checkpoint's tensors; None before the first iso-points. Raises InputError for a damaged checkpoint."""
    names = ("isopoint_points", "isopoint_gradients", *SUPPORT_TENSORS)
    if not all(isinstance(tensors.get(name), torch.Tensor) for name in names):
        return None
    support = Support(*(tensors[name] for name in names))
    count = len(support.points)
    if count == 0 or [tuple(tensor.shape) for tensor in support] != [(count, 3), (count, 3), (count,), (count,)]:
        raise InputError("This is a damaged checkpoint: its iso-points and what is known of them differ in number.")
    return Support(*(tensor.to(device) for tensor in support))
