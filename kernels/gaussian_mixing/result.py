"""Gaussians at the points of a cloud, and their axes."""

from typing import NamedTuple

import torch


class Gaussians(NamedTuple):
    """means: (N, 3). covariances: (N, 6), entries xx, xy, xz, yy, yz, zz."""

    means: torch.Tensor
    covariances: torch.Tensor


class PrincipalAxes(NamedTuple):
    """variances: (N, 3), ascending. normals: (N, 3), unit, along the least, of arbitrary sign; any direction across
    where the least is not single."""

    variances: torch.Tensor
    normals: torch.Tensor
