"""A cloud of oriented points without most of its noise."""

import torch

from isopts.geometry.denoise_normals import angle_weights
from isopts.kernels.gaussian_mixing import Gaussians, mix_gaussians
from isopts.kernels.neighbors import nearest_neighbors

_NEIGHBORS = 16
_ANGLE_DEGREES = 60.0
_SELF = 1e-3  # weight of a point on itself alone, where no neighbour faces its way


def flattened(points: torch.Tensor, normals: torch.Tensor, steps: int = 4) -> torch.Tensor:
    """`points` (N, 3) float32, each moved along its unit normal (N, 3) to the mean of those around that face its way.

    The mean spreads over the 16-neighbour graph in `steps`, about 16 points each; a neighbour turned by 60 degrees
    hardly counts, so the two sides of a thin wall, and normals of the wrong sign, do not mix. Noise makes a surface as
    thick as itself, and what is measured on it (areas, density) wrong by up to a half; this is for such measures. It
    rounds edges and is no substitute for the points.
    """
    neighbors = nearest_neighbors(points, points, min(_NEIGHBORS, len(points))).indices
    weights = angle_weights(normals, normals[neighbors], _ANGLE_DEGREES)
    weights[:, 0] += _SELF
    gaussians = Gaussians(points, points.new_zeros((len(points), 6)))
    for _ in range(steps):
        gaussians = mix_gaussians(gaussians, neighbors, weights)
    heights = ((points - gaussians.means) * normals).sum(dim=1, keepdim=True)
    return points - heights * normals
