"""Checks and dispatch of the soft visual hull."""

import math

import torch

from isopts.errors import InputError
from isopts.kernels.backends import note_backend
from isopts.kernels.launch import launch
from isopts.kernels.visual_hull.kernel import RANK_MAX, hull_distances
from isopts.kernels.visual_hull.reference import visual_hull_reference
from isopts.kernels.visual_hull.silhouettes import HullDistances, Silhouettes

__all__ = ["RANK_MAX", "HullDistances", "Silhouettes", "visual_hull"]

_DTYPES = (torch.float32, torch.int64, torch.int32, torch.float32, torch.float32)


def visual_hull(
    points: torch.Tensor,
    silhouettes: Silhouettes,
    rank: int = 1,
    views_min: int = 1,
    unseen: float = math.inf,
    backend: str = "auto",
) -> HullDistances:
    """How far points are outside of the object that its silhouettes allow: METHOD section 4b, step 1.

    To first order the distance from a point to the cone through a silhouette is the 2D signed distance at its pixel,
    times depth over focal length. The hull is where the largest of them is negative. Not differentiable.

    Args:
        points: (N, 3) float32, in the frame of `silhouettes.projections`.
        silhouettes: of V views.
        rank: take the rank-th largest distance: rank - 1 views may have a wrong mask. At most 16.
        views_min: a point that fewer views (or fewer than `rank`) have in their image counts as unseen.
        unseen: its distance.
        backend: "auto" (Warp) or "reference".

    Raises InputError for other shapes, dtypes or ranks.
    """
    if points.ndim != 2 or points.shape[1] != 3 or points.dtype != torch.float32:
        raise InputError(f"points is {tuple(points.shape)} {points.dtype}; expected (n, 3) float32")
    if not 1 <= rank <= RANK_MAX:
        raise InputError(f"rank is {rank}; expected 1 ... {RANK_MAX}")
    _check(silhouettes)
    points = points.detach().contiguous()
    if backend == "reference":
        note_backend("visual_hull", "reference")
        return visual_hull_reference(points, silhouettes, rank, views_min, unseen)
    count, device = len(points), points.device
    distances = torch.empty(count, device=device)
    seen, views = (torch.empty(count, dtype=torch.int32, device=device) for _ in range(2))
    parts = [part.contiguous() for part in silhouettes]
    launch(hull_distances, count, [points, *parts, rank, views_min, unseen, distances, seen, views], device, grain=64)
    return HullDistances(distances, seen, views)


def _check(silhouettes: Silhouettes) -> None:
    count = len(silhouettes.first)
    shapes = ((len(silhouettes.maps),), (count,), (count, 2), (count, 3, 4), (count,))
    for name, tensor, shape, dtype in zip(Silhouettes._fields, silhouettes, shapes, _DTYPES, strict=True):
        if tuple(tensor.shape) != shape or tensor.dtype != dtype:
            raise InputError(f"silhouettes.{name} is {tuple(tensor.shape)} {tensor.dtype}; expected {shape} {dtype}")
    pixels = silhouettes.sizes.long().prod(dim=1)
    ends = torch.cat([silhouettes.first[1:], silhouettes.first.new_tensor([len(silhouettes.maps)])])
    if count == 0 or (silhouettes.first + pixels > ends).any() or (silhouettes.sizes < 1).any():
        raise InputError("silhouettes.first and sizes do not fit maps; expected one map after the other")
