"""Weighted mixtures of the Gaussians at every point's neighbours: second moments that spread over a cloud."""

from isopts.kernels.gaussian_mixing.op import mix_gaussians, principal_axes
from isopts.kernels.gaussian_mixing.result import Gaussians, PrincipalAxes

__all__ = ["Gaussians", "PrincipalAxes", "mix_gaussians", "principal_axes"]
