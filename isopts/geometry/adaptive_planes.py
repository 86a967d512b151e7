"""Planes through a cloud at the scale that shows each of them best."""

import math

import torch

from isopts.kernels.gaussian_mixing import Gaussians, mix_gaussians, principal_axes
from isopts.kernels.local_planes import LocalPlanes
from isopts.kernels.neighbors import nearest_neighbors
from isopts.kernels.point_tree import curve_order

_NEIGHBORS = 24
_SCALES = (1, 2, 4, 8)  # steps of diffusion at which a plane is judged; each step adds about 24 points
_ANGLE_DEGREES = 30.0
_HEIGHT = 3.0  # of a neighbour over the plane, in residuals, at which it hardly counts
_WEIGHT_MIN = 1e-3  # an outlier, which agrees with nobody, must not become a plane of no extent
_GAIN = 0.75  # a wider plane is taken when it is flatter than the narrower one by this; noise alone gives a half
_RELINKED_GAIN = 0.9  # the same for weighted links, which flatten any plane a little: they choose points that fit


def adaptive_planes(points: torch.Tensor, rounds: int = 1) -> LocalPlanes:
    """Plane of `points` (N, 3) at every point, each from as many neighbours as make it flattest.

    Moments spread over the graph of 24 neighbours step by step. Noise makes a narrow plane thick for its width;
    curvature, an edge or another wall a wide one. So the scale is right where lambda_min / lambda_middle is least
    (surface variation, Pauly et al. 2002; scale selection, Demantke et al. 2011), and follows noise and density from
    place to place. Then `rounds` times again with links weighted by the agreement of the planes at both ends
        exp(-((1 - |n_i . n_j|) / (1 - cos 30))^2) exp(-(h / (3 residual))^2),
    h the height of plane j's foot over plane i, so that moments do not spread around edges and through walls, and these
    planes are taken where they are much flatter.

    Float32 inside whatever the points are, in coordinates about their centre. Fewer than 4 points: all of them count.
    """
    if len(points) == 0:
        return LocalPlanes(points, points, points)
    center = points.mean(dim=0)
    order = curve_order(points, run_length=_NEIGHBORS)  # near in space, near in memory
    local = (points - center)[order].float().contiguous()
    neighbors = nearest_neighbors(local, local, min(_NEIGHBORS, len(points))).indices
    planes = _best_planes(local, neighbors, torch.ones_like(neighbors, dtype=torch.float32))
    for _ in range(rounds):
        relinked = _best_planes(local, neighbors, _link_weights(local, planes, neighbors))
        planes = _flatter(relinked, planes, _RELINKED_GAIN)
    found = LocalPlanes(*(torch.empty_like(part).index_copy_(0, order, part) for part in planes))
    return LocalPlanes(found.centers.to(points) + center, found.normals.to(points), found.variances.to(points))


def feet(points: torch.Tensor, planes: LocalPlanes) -> torch.Tensor:
    """(N, 3) the points moved onto their planes along the normal: a cloud without most of its noise."""
    heights = ((points - planes.centers) * planes.normals).sum(dim=1, keepdim=True)
    return points - heights * planes.normals


def _best_planes(points: torch.Tensor, neighbors: torch.Tensor, weights: torch.Tensor) -> LocalPlanes:
    gaussians = Gaussians(points, points.new_zeros((len(points), 6)))
    best = None
    for step in range(1, _SCALES[-1] + 1):
        gaussians = mix_gaussians(gaussians, neighbors, weights)
        if step in _SCALES:
            axes = principal_axes(gaussians.covariances)
            found = LocalPlanes(gaussians.means, axes.normals, axes.variances)
            best = found if best is None else _flatter(found, best, _GAIN)
    return best


def _flatter(new: LocalPlanes, old: LocalPlanes, gain: float) -> LocalPlanes:
    """The new ones where their flatness is below `gain` times that of the old ones."""
    taken = (flatness(new) < gain * flatness(old))[:, None]
    return LocalPlanes(*(torch.where(taken, *pair) for pair in zip(new, old, strict=True)))


def flatness(planes: LocalPlanes) -> torch.Tensor:
    """(N,) lambda_min / lambda_middle, 0 where all points lie in the plane. The error of the normal grows in proportion
    to it (measured on scans of animals and machine parts)."""
    tiny = torch.finfo(planes.variances.dtype).tiny
    return planes.variances[:, 0] / planes.variances[:, 1].clamp_min(tiny)


def _link_weights(points: torch.Tensor, planes: LocalPlanes, neighbors: torch.Tensor) -> torch.Tensor:
    """(N, K), up to 1."""
    places = feet(points, planes)
    cosines = torch.einsum("nkd,nd->nk", planes.normals[neighbors], planes.normals).abs()
    heights = torch.einsum("nkd,nd->nk", places[neighbors] - places[:, None], planes.normals)
    limits = torch.finfo(points.dtype)
    rounding = max(limits.eps * float(points.abs().max()), limits.tiny)
    width = _HEIGHT * planes.variances[:, :1].sqrt().clamp_min(rounding)
    turn = (1 - cosines) / (1 - math.cos(math.radians(_ANGLE_DEGREES)))
    return torch.exp(-turn.square() - (heights / width).square()) + _WEIGHT_MIN
