"""Checks and dispatch of the visibility of points."""

import torch

from isopts.errors import InputError
from isopts.kernels.backends import note_backend, unknown_backend
from isopts.kernels.launch import launch
from isopts.kernels.point_visibility.kernel import compare_kernel, splat_kernel
from isopts.kernels.point_visibility.reference import point_visibility_reference
from isopts.kernels.point_visibility.views import DepthViews

__all__ = ["DepthViews", "point_visibility"]

_BACKENDS = ("auto", "warp", "reference")


def point_visibility(
    points: torch.Tensor,
    normals: torch.Tensor,
    views: DepthViews,
    radius: float,
    tolerance: float,
    cosine_min: float = 0.15,
    backend: str = "auto",
) -> torch.Tensor:
    """Which points each view sees, and how squarely: METHOD section 4b, step 2.

    Every point that faces a camera covers the pixels within focal length * radius / depth of its projection, in both
    directions, and at least the pixel it is in. A point is visible where its depth is below the least depth that covers
    its pixel, plus tolerance / cosine (a slope is deeper at its far end). Not differentiable.

    Args:
        points: (N, 3) float32. normals: (N, 3) float32, of length 1, pointing out of the object.
        views: V cameras and the sizes of their depth maps, on the device of the points.
        radius: of a point's disc, in the unit of the points; half the distance of neighbours closes the surface.
        tolerance: depth in the unit of the points.
        cosine_min: points seen more obliquely count as not visible.
        backend: "auto" or "warp", or "reference".

    Returns:
        (N, V) float32: the cosine between the normal and the direction to the camera's centre, 0 where the point is
        hidden, outside of the image, behind the camera or not finite.

    Raises InputError for other shapes or dtypes.
    """
    if backend not in _BACKENDS:
        raise unknown_backend(backend, _BACKENDS)
    for name, tensor in (("points", points), ("normals", normals)):
        if tensor.ndim != 2 or tensor.shape != (len(points), 3) or tensor.dtype != torch.float32:
            raise InputError(f"{name} is {tuple(tensor.shape)} {tensor.dtype}; expected (n, 3) float32, n of points")
    _check(views)
    points, normals = points.detach().contiguous(), normals.detach().contiguous()
    if backend == "reference":
        note_backend("point_visibility", "reference")
        return point_visibility_reference(points, normals, views, radius, tolerance, cosine_min)
    return _point_visibility(points, normals, views, radius, tolerance, cosine_min)


def _point_visibility(
    points: torch.Tensor, normals: torch.Tensor, views: DepthViews, radius: float, tolerance: float, cosine_min: float
) -> torch.Tensor:
    count, device = len(points), points.device
    projections, centers, sizes, focal_lengths = (part.contiguous() for part in views)
    pixels = sizes.long().prod(dim=1)
    starts = pixels.cumsum(dim=0) - pixels
    depths = torch.full((int(pixels.sum()),), torch.inf, device=device)
    cosines = torch.empty(count, len(sizes), device=device)
    run = 64 if device.type == "cuda" else max(count, 1)  # CPU atomics are plain: a depth map belongs to one task
    cameras = [projections, centers, sizes]
    launch(
        splat_kernel,
        len(sizes) * -(-count // run),
        [run, points, normals, *cameras, focal_lengths, starts, radius, depths],
        device,
        grain=1,
    )
    arguments = [points, normals, *cameras, starts, depths, tolerance, cosine_min, cosines]
    launch(compare_kernel, count, arguments, device, grain=256)
    return cosines


def _check(views: DepthViews) -> None:
    count = len(views.sizes)
    shapes = ((count, 3, 4), (count, 3), (count, 2), (count,))
    dtypes = (torch.float32, torch.float32, torch.int32, torch.float32)
    for name, tensor, shape, dtype in zip(DepthViews._fields, views, shapes, dtypes, strict=True):
        if tuple(tensor.shape) != shape or tensor.dtype != dtype:
            raise InputError(f"views.{name} is {tuple(tensor.shape)} {tensor.dtype}; expected {shape} {dtype}")
    if (views.sizes < 1).any():
        raise InputError("views.sizes has a depth map without pixels; expected width and height of at least 1")
