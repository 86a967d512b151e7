"""Checks and dispatch of the alignment of surfels' patches."""

from typing import NamedTuple

import torch

from isopts.errors import InputError
from isopts.kernels.backends import note_backend, unknown_backend
from isopts.kernels.launch import launch
from isopts.kernels.patch_alignment.kernel import align_kernel
from isopts.kernels.patch_alignment.reference import align_patches_reference
from isopts.kernels.patch_consistency.images import as_images, as_limits
from isopts.kernels.patch_consistency.op import check_limits, check_surfels, check_views
from isopts.kernels.patch_consistency.patch import INVALID
from isopts.kernels.patch_consistency.views import PatchLimits, PatchViews

_BACKENDS = ("auto", "warp", "reference")
_DEFAULT = PatchLimits()


class Alignment(NamedTuple):
    """shifts (N, S, 2): from where a camera says that a patch is to where its image is, pixels, column and row; where
    it was not found, as it was given. scores (N, S): NCC there, or INVALID (-2): not found. covariances (N, S, 3): of
    the shifts, square pixels, of (column, column), (column, row), (row, row), as the greys that are left tell; 0 where
    it was not found."""

    shifts: torch.Tensor
    scores: torch.Tensor
    covariances: torch.Tensor


@torch.no_grad()
def align_patches(
    points: torch.Tensor,
    normals: torch.Tensor,
    references: torch.Tensor,
    sources: torch.Tensor,
    views: PatchViews,
    shifts: torch.Tensor,
    limits: PatchLimits = _DEFAULT,
    iterations: int = 8,
    step_max: float = 1.0,
    backend: str = "auto",
) -> Alignment:
    """Where source views show the patches that surfels have in their reference views (Lucas and Kanade, 1981, with an
    unknown gain and mean of the greys).

    The patch is carried by its plane into the source, as in `patch_consistency`, which has points, normals, references,
    sources, views and limits alike, and then shifted. Found is what is in the source image, has contrast there and in
    the reference, more than an edge, and has settled.

    Args:
        shifts: (N, S, 2) float32, where to begin, in pixels. iterations: at most. step_max: longest step, pixels.
        backend: "auto" or "warp", or "reference".

    Raises InputError for other shapes, dtypes, sizes, or views that do not exist.
    """
    if backend not in _BACKENDS:
        raise unknown_backend(backend, _BACKENDS)
    check_limits(limits)
    if limits.detrend:
        raise InputError("limits.detrend is True; expected False: patches are aligned with what is linear in them")
    check_views(views)
    check_surfels(points, normals, references, sources, len(views.first))
    if shifts.shape != (*sources.shape, 2) or shifts.dtype != torch.float32:
        raise InputError(f"shifts is {tuple(shifts.shape)} {shifts.dtype}; expected {(*sources.shape, 2)} float32")
    if not (iterations >= 1 and step_max > 0):
        raise InputError(
            f"iterations is {iterations}, step_max {step_max}; expected at least one step, not of length 0"
        )
    tensors = [tensor.detach().contiguous() for tensor in (points, normals, references, sources)]
    if backend == "reference":
        note_backend("patch_alignment", "reference")
        return Alignment(*align_patches_reference(*tensors, views, shifts, limits, iterations, step_max))
    shifts = shifts.clone(memory_format=torch.contiguous_format)
    scores = points.new_full(sources.shape, INVALID)
    covariances = points.new_zeros((*sources.shape, 3))
    arguments = [*tensors, as_images(views), as_limits(limits), iterations, step_max]
    launch(align_kernel, len(points), [*arguments, shifts, scores, covariances], points.device, grain=16)
    return Alignment(shifts, scores, covariances)
