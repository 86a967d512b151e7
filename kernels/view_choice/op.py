"""Checks and dispatch of the choice of views."""

import math

import torch

from isopts.errors import InputError
from isopts.kernels.backends import note_backend, unknown_backend
from isopts.kernels.launch import launch
from isopts.kernels.view_choice.kernel import CHOICES_MAX, choose_kernel
from isopts.kernels.view_choice.limits import ViewChoice, ViewChoiceLimits
from isopts.kernels.view_choice.reference import choose_views_reference

__all__ = ["ViewChoice", "ViewChoiceLimits", "choose_views"]

_BACKENDS = ("auto", "warp", "reference")
_DEFAULT = ViewChoiceLimits()


def choose_views(
    points: torch.Tensor,
    cosines: torch.Tensor,
    centers: torch.Tensor,
    noise: torch.Tensor,
    limits: ViewChoiceLimits = _DEFAULT,
    backend: str = "auto",
) -> ViewChoice:
    """For each surfel a reference view among those that see it best, and source views: METHOD section 4b, step 2.

    The reference is drawn from the `top` views of largest cosine that exceed 0.3, with probability proportional to the
    cosine; the best view where none does. Sources are the views of sufficient cosine and baseline, those of largest
    cos(baseline) + 0.15 noise first. A surfel whose reference is too oblique or has no source has no reference either.
    Not differentiable.

    Args:
        points: (N, 3) float32.
        cosines: (N, V) float32 from `point_visibility`, 0 where a point is not visible.
        centers: (V, 3) float32, of projection, in the frame of the points.
        noise: (N, V) float32, uniform in [0, 1), from the caller's generator. Column 0 draws the reference; column v is
            the noise in the rank of source v, 0 included.
        limits: see ViewChoiceLimits.
        backend: "auto" or "warp", or "reference".

    Raises InputError for other shapes, dtypes, numbers of views.
    """
    if backend not in _BACKENDS:
        raise unknown_backend(backend, _BACKENDS)
    count, views, device = len(points), len(centers), points.device
    for name, value in (("top", limits.top), ("sources", limits.sources)):
        if not 1 <= value <= CHOICES_MAX:
            raise InputError(f"limits.{name} is {value}; expected 1 ... {CHOICES_MAX}")
    expected = (
        ("points", points, (count, 3)),
        ("cosines", cosines, (count, views)),
        ("centers", centers, (views, 3)),
        ("noise", noise, (count, views)),
    )
    for name, tensor, shape in expected:
        if tuple(tensor.shape) != shape or tensor.dtype != torch.float32:
            raise InputError(f"{name} is {tuple(tensor.shape)} {tensor.dtype}; expected {shape} float32")
    if views == 0:
        raise InputError("centers is empty; expected at least one view to choose from")
    tensors = [tensor.detach().contiguous() for tensor in (points, cosines, centers, noise)]
    if backend == "reference":
        note_backend("view_choice", "reference")
        return choose_views_reference(*tensors, limits)
    references = torch.empty(count, dtype=torch.int32, device=device)
    sources = torch.empty(count, limits.sources, dtype=torch.int32, device=device)
    angles = [math.cos(math.radians(a)) for a in (limits.baseline_max_degrees, limits.baseline_min_degrees)]
    numbers = [limits.top, limits.reference_cosine_min, limits.source_cosine_min, *angles]
    launch(choose_kernel, count, [*tensors, *numbers, references, sources], device, grain=256)
    return ViewChoice(references, sources)
