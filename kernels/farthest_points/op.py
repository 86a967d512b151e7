"""Checks and dispatch of farthest-point sampling."""

import torch

from isopts.errors import InputError
from isopts.kernels.backends import note_backend, unknown_backend
from isopts.kernels.farthest_points.kernel import SELECT_FARTHEST
from isopts.kernels.farthest_points.pytorch3d_backend import farthest_points_pytorch3d
from isopts.kernels.farthest_points.reference import farthest_points_reference
from isopts.kernels.farthest_points.torch_cluster_backend import farthest_points_torch_cluster
from isopts.kernels.launch import launch
from isopts.kernels.point_tree import build_point_tree

BACKENDS = ("auto", "warp", "reference", "torch_cluster", "pytorch3d")


def farthest_points(points: torch.Tensor, count: int, start: int = 0, backend: str = "auto") -> torch.Tensor:
    """Indices (count,) int64 of well-spread points, in the order of their selection.

    The first is `start`, each further one is the point farthest from those selected, the first of equally far ones
    (Eldar et al., The Farthest Point Strategy, 1997). No index comes twice, not even where points are equal.

    Args:
        points: (N, 3) float32 or float64, finite.
        count: 0 ... N.
        start: index of the first point.
        backend: "auto" is "warp" on the CPU, "reference" elsewhere (the Warp kernel is one thread); "torch_cluster"
            and "pytorch3d" are used where installed, and may choose otherwise among equally far points.

    Raises InputError for other shapes or values, BackendError for a backend that is unknown or not installed.
    """
    _check(points, count, start)
    points = points.detach()
    if backend == "auto":
        backend = "warp" if points.device.type == "cpu" else "reference"
    if backend not in BACKENDS:
        raise unknown_backend(backend, BACKENDS)
    if count == 0:
        return torch.zeros(0, dtype=torch.int64, device=points.device)
    note_backend("farthest_points", backend)
    match backend:
        case "warp":
            return _farthest_points_warp(points, count, start)
        case "torch_cluster":
            return farthest_points_torch_cluster(points, count, start)
        case "pytorch3d":
            return farthest_points_pytorch3d(points, count, start)
        case _:
            return farthest_points_reference(points, count, start)


def _farthest_points_warp(points: torch.Tensor, count: int, start: int) -> torch.Tensor:
    tree = build_point_tree(points)
    boxes = len(tree.low)
    distances = points.new_full((len(points),), torch.inf)
    box_distance, box_index = points.new_empty(boxes), tree.indices.new_empty(boxes)
    queue = tree.indices.new_empty(boxes)
    selected = torch.full((count,), start, dtype=torch.int64, device=points.device)
    state = [distances, box_distance, box_index, queue, selected]
    bounds = [tree.points, tree.indices, tree.low, tree.high, tree.first_child]
    launch(SELECT_FARTHEST[points.element_size()], 1, [points.contiguous(), *bounds, *state], points.device)
    return selected


def _check(points: torch.Tensor, count: int, start: int) -> None:
    if points.ndim != 2 or points.shape[1] != 3 or points.dtype not in (torch.float32, torch.float64):
        raise InputError(f"points is {tuple(points.shape)} {points.dtype}; expected (n, 3) float32 or float64")
    if not bool(torch.isfinite(points).all()):
        raise InputError("points has coordinates that are not finite; remove those points first")
    if not 0 <= count <= len(points):
        raise InputError(f"count is {count}; expected 0 to the number of points, {len(points)}")
    if count > 0 and not 0 <= start < len(points):
        raise InputError(f"start is {start}; expected an index into {len(points)} points")
