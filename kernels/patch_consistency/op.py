"""Checks, dispatch and gradients of the photo-consistency of surfels."""

import torch

from isopts.errors import InputError
from isopts.kernels.backends import note_backend, unknown_backend
from isopts.kernels.launch import launch
from isopts.kernels.patch_consistency.images import as_images, as_limits
from isopts.kernels.patch_consistency.kernel import patch_kernel
from isopts.kernels.patch_consistency.patch import HALF_SIZE_MAX, INVALID
from isopts.kernels.patch_consistency.reference import patch_consistency_reference
from isopts.kernels.patch_consistency.views import PatchLimits, PatchViews

__all__ = ["HALF_SIZE_MAX", "INVALID", "PatchLimits", "PatchViews", "patch_consistency"]

_DEFAULT = PatchLimits()
_BACKENDS = ("auto", "warp", "reference")
_FLOAT, _INT = torch.float32, torch.int32
_VIEW_DTYPES = (torch.uint8, torch.uint8, torch.int64, _INT, _FLOAT, _FLOAT, _FLOAT)


def patch_consistency(
    points: torch.Tensor,
    normals: torch.Tensor,
    references: torch.Tensor,
    sources: torch.Tensor,
    views: PatchViews,
    limits: PatchLimits = _DEFAULT,
    bends: torch.Tensor | None = None,
    backend: str = "auto",
) -> torch.Tensor:
    """How alike the images are that two views have of a surfel: METHOD section 4b, step 2.

    The patch of (2 half_size + 1)^2 pixels around the projection of a point into its reference view is carried by the
    plane through the point, or by a paraboloid that touches it there, into each source view. The score is the
    normalised cross-correlation of the two sets of greys, over the pixels on the object in the reference view (by the
    nearest pixel of its mask).

    Args:
        points: (N, 3) float32, in the frame of `views`. normals: (N, 3) float32, of length 1, out of the object.
        references: (N,) int32, a view each, -1: none. sources: (N, S) int32, alike. Views are 0 ... V-1.
        views: V grey images, masks and cameras, on the device of the points.
        limits: of what is compared.
        bends: (N, 3, 3) float32, shape operators of the surface there: symmetric, change of the normal by a step in
            the tangent plane, 0 along the normal; the patch is carried by the paraboloid instead of the plane. None:
            the surface is flat.
        backend: "auto" or "warp", or "reference".

    Returns:
        scores (N, S) float32, -1 ... 1 up to rounding, or INVALID (-2): no view, the patch leaves the image or the mask
        of the reference view, the view of a source or a camera's front, or lacks contrast. Differentiable once with
        respect to points (the plane moves along the normal; the patch's pixels stay where they are, so there is no
        gradient within the plane) and normals. INVALID scores have gradient 0.

    Raises InputError for other shapes, dtypes, sizes, or views that do not exist.
    """
    if backend not in _BACKENDS:
        raise unknown_backend(backend, _BACKENDS)
    check_limits(limits)
    check_views(views)
    check_surfels(points, normals, references, sources, len(views.first))
    bends = _checked_bends(bends, points)
    if backend == "reference":
        note_backend("patch_consistency", "reference")
        return patch_consistency_reference(points, normals, references, sources, bends, views, limits)
    with_derivatives = torch.is_grad_enabled() and (points.requires_grad or normals.requires_grad)
    return _PatchConsistency.apply(points, normals, references, sources, bends, views, limits, with_derivatives)


class _PatchConsistency(torch.autograd.Function):
    @staticmethod
    def forward(ctx, points, normals, references, sources, bends, views, limits, with_derivatives):
        points, normals = points.contiguous(), normals.contiguous()
        scores = points.new_empty(sources.shape)
        derivatives = points.new_zeros((*sources.shape, 4) if with_derivatives else (0, sources.shape[1], 4))
        surfels = [points, normals, references.contiguous(), sources.contiguous(), bends.contiguous()]
        arguments = [*surfels, as_images(views), as_limits(limits)]
        launch(patch_kernel, len(points), [*arguments, scores, derivatives], points.device, grain=16)
        if with_derivatives:
            ctx.save_for_backward(normals, derivatives)
        return scores

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, score_gradient):
        normals, derivatives = ctx.saved_tensors
        total = (score_gradient[..., None] * derivatives).sum(dim=1)  # (N, 4)
        return total[:, :1] * normals, total[:, 1:], None, None, None, None, None, None


def _checked_bends(bends: torch.Tensor | None, points: torch.Tensor) -> torch.Tensor:
    """(0, 3, 3) for None."""
    if bends is None:
        return points.new_zeros((0, 3, 3))
    if bends.shape != (len(points), 3, 3) or bends.dtype != _FLOAT:
        raise InputError(f"bends is {tuple(bends.shape)} {bends.dtype}; expected {(len(points), 3, 3)} {_FLOAT}")
    return bends


def check_limits(limits: PatchLimits) -> None:
    if not 0 <= limits.half_size <= HALF_SIZE_MAX:
        raise InputError(f"half_size is {limits.half_size}; expected 0 ... {HALF_SIZE_MAX}")
    if not limits.contrast_min > 0:
        raise InputError(
            f"contrast_min is {limits.contrast_min}; expected a positive number: blank patches have no score"
        )


def check_views(views: PatchViews) -> None:
    count, pixels = len(views.first), len(views.greys)
    shapes = ((pixels,), (pixels,), (count,), (count, 2), (count, 3, 4), (count, 3, 3), (count, 3))
    for name, tensor, shape, dtype in zip(PatchViews._fields, views, shapes, _VIEW_DTYPES, strict=True):
        if tuple(tensor.shape) != shape or tensor.dtype != dtype:
            raise InputError(f"views.{name} is {tuple(tensor.shape)} {tensor.dtype}; expected {shape} {dtype}")
    ends = torch.cat([views.first[1:], views.first.new_tensor([pixels])])
    if count == 0 or ((views.first + views.sizes.long().prod(dim=1) > ends) | (views.sizes < 1).any(dim=1)).any():
        raise InputError("views.first and sizes do not fit greys; expected one image after the other")


def check_surfels(
    points: torch.Tensor, normals: torch.Tensor, references: torch.Tensor, sources: torch.Tensor, views: int
) -> None:
    count, choices = len(points), sources.shape[-1] if sources.ndim else 0
    expected = (
        ("points", points, (count, 3), _FLOAT),
        ("normals", normals, (count, 3), _FLOAT),
        ("references", references, (count,), _INT),
        ("sources", sources, (count, choices), _INT),
    )
    for name, tensor, shape, dtype in expected:
        if tuple(tensor.shape) != shape or tensor.dtype != dtype:
            raise InputError(f"{name} is {tuple(tensor.shape)} {tensor.dtype}; expected {shape} {dtype}")
    for name, tensor in (("references", references), ("sources", sources)):
        if tensor.numel() and int(tensor.amax()) >= views:
            raise InputError(f"{name} has view {int(tensor.amax())}; expected -1 ... {views - 1}")
