"""Checks and dispatch of the mixtures."""

import torch

from isopts.errors import InputError
from isopts.kernels.backends import note_backend
from isopts.kernels.gaussian_mixing.kernel import decompose, mix
from isopts.kernels.gaussian_mixing.reference import mix_gaussians_reference, principal_axes_reference
from isopts.kernels.gaussian_mixing.result import Gaussians, PrincipalAxes
from isopts.kernels.launch import launch


def mix_gaussians(
    gaussians: Gaussians, neighbors: torch.Tensor, weights: torch.Tensor, backend: str = "auto"
) -> Gaussians:
    """Mean and covariance of the mixture of the Gaussians at each row of `neighbors`. Not differentiable.

    Started from points without extent, one call gives the moments of every neighbourhood; each further one spreads
    them as a step of diffusion does: t calls see about t times as many points at t times the cost, where a search for
    so many neighbours costs their square.

    Args:
        gaussians: float32.
        neighbors: (N, K) int64, all present.
        weights: (N, K) float32, not negative, positive in sum; scaled to sum to 1 in each row.
        backend: "auto" (Warp) or "reference".

    Raises InputError for other shapes or dtypes.
    """
    means, covariances = gaussians
    count = len(means)
    if means.shape != (count, 3) or covariances.shape != (count, 6) or means.dtype != torch.float32:
        raise InputError(
            f"gaussians are {tuple(means.shape)} and {tuple(covariances.shape)} {means.dtype}; "
            "expected (n, 3) and (n, 6) float32"
        )
    if neighbors.ndim != 2 or neighbors.dtype != torch.int64 or weights.shape != neighbors.shape:
        raise InputError(
            f"neighbors are {tuple(neighbors.shape)} {neighbors.dtype}, weights {tuple(weights.shape)}; "
            "expected (n, k) int64 and as many weights"
        )
    if backend == "reference":
        note_backend("gaussian_mixing", "reference")
        return mix_gaussians_reference(gaussians, neighbors, weights)
    mixed = Gaussians(means.new_empty((len(neighbors), 3)), means.new_empty((len(neighbors), 6)))
    arguments = [*gaussians, neighbors.contiguous(), weights.contiguous(), *mixed]
    launch(mix, len(neighbors), arguments, means.device)
    return mixed


def principal_axes(covariances: torch.Tensor, backend: str = "auto") -> PrincipalAxes:
    """Variances along the principal axes and the axis of the least, of `covariances` (N, 6) float32.

    Raises InputError for another shape or dtype.
    """
    if covariances.ndim != 2 or covariances.shape[1] != 6 or covariances.dtype != torch.float32:
        raise InputError(f"covariances are {tuple(covariances.shape)} {covariances.dtype}; expected (n, 6) float32")
    if backend == "reference":
        note_backend("gaussian_mixing", "reference")
        return principal_axes_reference(covariances)
    axes = PrincipalAxes(*(covariances.new_empty((len(covariances), 3)) for _ in range(2)))
    launch(decompose, len(covariances), [covariances.contiguous(), *axes], covariances.device)
    return axes
