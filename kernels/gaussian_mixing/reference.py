"""The definition: mean and covariance of a weighted mixture, and their eigen-decomposition."""

import torch

from isopts.kernels.gaussian_mixing.result import Gaussians, PrincipalAxes

_ROWS, _COLUMNS = (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)
_FULL = (0, 1, 2, 1, 3, 4, 2, 4, 5)


def mix_gaussians_reference(gaussians: Gaussians, neighbors: torch.Tensor, weights: torch.Tensor) -> Gaussians:
    """Mixtures of the rows `neighbors` (N, K) with `weights` (N, K), which need not sum to 1. See op.py."""
    means, covariances = (part.double() for part in gaussians)
    shares = weights.double() / weights.double().sum(dim=1, keepdim=True)
    mixed = (shares[:, :, None] * means[neighbors]).sum(dim=1)
    offsets = means[neighbors] - mixed[:, None]
    products = offsets[:, :, _ROWS] * offsets[:, :, _COLUMNS]
    spread = (shares[:, :, None] * (covariances[neighbors] + products)).sum(dim=1)
    return Gaussians(mixed.to(gaussians.means.dtype), spread.to(gaussians.means.dtype))


def principal_axes_reference(covariances: torch.Tensor) -> PrincipalAxes:
    """Of `covariances` (N, 6). See op.py."""
    variances, axes = torch.linalg.eigh(covariances.double()[:, _FULL].view(-1, 3, 3))
    normals = axes[:, :, 0].contiguous()
    return PrincipalAxes(variances.clamp_min(0).to(covariances.dtype), normals.to(covariances.dtype))
