"""Checks and dispatch of the local planes."""

import torch

from isopts.errors import InputError
from isopts.kernels.backends import note_backend
from isopts.kernels.launch import launch
from isopts.kernels.local_planes.kernel import FIT_PLANES
from isopts.kernels.local_planes.reference import local_planes_reference
from isopts.kernels.local_planes.result import LocalPlanes


def local_planes(points: torch.Tensor, neighbors: torch.Tensor, backend: str = "auto") -> LocalPlanes:
    """Planes of least squares through `points` at each row of `neighbors`. Not differentiable.

    Args:
        points: (P, 3) float32 or float64. Computed in float64 either way.
        neighbors: (N, K) int64, less than P, -1 where absent.
        backend: "auto" (Warp) or "reference".

    Raises InputError for other shapes or dtypes.
    """
    if points.ndim != 2 or points.shape[1] != 3 or points.dtype not in (torch.float32, torch.float64):
        raise InputError(f"points is {tuple(points.shape)} {points.dtype}; expected (n, 3) float32 or float64")
    if neighbors.ndim != 2 or neighbors.dtype != torch.int64:
        raise InputError(f"neighbors is {tuple(neighbors.shape)} {neighbors.dtype}; expected (n, k) int64")
    points = points.detach().contiguous()
    if backend == "reference":
        note_backend("local_planes", "reference")
        return local_planes_reference(points, neighbors)
    planes = LocalPlanes(*(points.new_empty((len(neighbors), 3)) for _ in range(3)))
    launch(FIT_PLANES[points.element_size()], len(neighbors), [points, neighbors.contiguous(), *planes], points.device)
    return planes
