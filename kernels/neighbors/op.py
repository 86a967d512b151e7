"""Checks and dispatch of the neighbour search."""

import math

import torch

from isopts.errors import InputError
from isopts.kernels.backends import note_backend, unknown_backend
from isopts.kernels.launch import launch
from isopts.kernels.neighbors.frnn_backend import neighbors_frnn
from isopts.kernels.neighbors.kernel import GROUP, SEARCH_TREE
from isopts.kernels.neighbors.pytorch3d_backend import neighbors_pytorch3d
from isopts.kernels.neighbors.reference import neighbors_reference
from isopts.kernels.neighbors.result import Neighbors
from isopts.kernels.neighbors.torch_cluster_backend import neighbors_torch_cluster
from isopts.kernels.point_tree import build_point_tree, curve_order

BACKENDS = ("auto", "warp", "reference", "frnn", "torch_cluster", "pytorch3d")


def fixed_radius_neighbors(
    queries: torch.Tensor, points: torch.Tensor, radius: float, k: int, backend: str = "auto"
) -> Neighbors:
    """The up to k points nearest to each query and no farther than `radius` (inclusive).

    Args:
        queries: (Q, 3) float32 or float64, finite. May be `points` itself: every query then finds itself first
            (or an equal point with a lower index).
        points: (N, 3), same dtype and device. N may be 0.
        radius: same unit as the points; not negative, may be infinite.
        k: at least 1.
        backend: "auto" is "warp"; "frnn", "torch_cluster" and "pytorch3d" are used where installed, and may choose
            otherwise among equally distant points.

    Raises InputError for other shapes, dtypes, devices or values, BackendError for a backend that is unknown or not
    installed. The result is detached (see Neighbors).
    """
    if not radius >= 0:
        raise InputError(f"radius is {radius}; expected a number that is not negative")
    _check(queries, points, k)
    return _search(queries, points, float(radius), k, backend)


def nearest_neighbors(queries: torch.Tensor, points: torch.Tensor, k: int, backend: str = "auto") -> Neighbors:
    """The k points nearest to each query, -1 only where there are fewer than k points. See fixed_radius_neighbors."""
    _check(queries, points, k)
    return _search(queries, points, math.inf, k, backend)


def _search(queries: torch.Tensor, points: torch.Tensor, radius: float, k: int, backend: str) -> Neighbors:
    if backend not in BACKENDS:
        raise unknown_backend(backend, BACKENDS)
    arguments = queries.detach(), points.detach(), radius, k
    if len(points) == 0 or len(queries) == 0:
        return neighbors_reference(*arguments)
    if backend not in ("auto", "warp"):
        note_backend("neighbors", backend)
    match backend:
        case "reference":
            return neighbors_reference(*arguments)
        case "frnn":
            return neighbors_frnn(*arguments)
        case "torch_cluster":
            return neighbors_torch_cluster(*arguments)
        case "pytorch3d":
            return neighbors_pytorch3d(*arguments)
        case _:
            return _search_with_warp(*arguments)


def _search_with_warp(queries: torch.Tensor, points: torch.Tensor, radius: float, k: int) -> Neighbors:
    tree = build_point_tree(points)
    same = queries.data_ptr() == points.data_ptr() and (queries.shape, queries.stride()) == (
        points.shape,
        points.stride(),
    )
    order = tree.indices if same else curve_order(queries, run_length=GROUP).to(torch.int32)
    indices = torch.empty((len(queries), k), dtype=torch.int64, device=points.device)
    found = Neighbors(indices, queries.new_empty((len(queries), k)))
    arguments = [queries[order], order, int(same), radius * radius, *tree, *found]
    groups = -(-len(queries) // GROUP)
    launch(SEARCH_TREE[points.element_size()], groups, arguments, points.device, grain=32)
    return found


def _are_one(first: torch.Tensor, second: torch.Tensor) -> bool:
    """Whether both are the same memory read in the same way: their queries need no sorting of their own."""
    layouts = ((cloud.data_ptr(), cloud.shape, cloud.stride()) for cloud in (first, second))
    return next(layouts) == next(layouts)


def _check(queries: torch.Tensor, points: torch.Tensor, k: int) -> None:
    for name, cloud in (("queries", queries), ("points", points)):
        if cloud.ndim != 2 or cloud.shape[1] != 3 or cloud.dtype not in (torch.float32, torch.float64):
            raise InputError(f"{name} is {tuple(cloud.shape)} {cloud.dtype}; expected (n, 3) float32 or float64")
        if not bool(torch.isfinite(cloud).all()):
            raise InputError(f"{name} has coordinates that are not finite; remove those points first")
    if queries.dtype != points.dtype or queries.device != points.device:
        raise InputError(
            f"queries are {queries.dtype} on {queries.device}, points {points.dtype} on {points.device}; "
            "expected the same dtype and device: convert one of them"
        )
    if k < 1:
        raise InputError(f"k is {k}; expected at least 1")
