"""Which silhouettes contradict all the others."""

import torch

from isopts.geometry.cameras import Cameras
from isopts.geometry.silhouette_maps import SilhouetteMaps
from isopts.geometry.visual_hull import VisualHull

_RESOLUTION = 40
_MARGIN_PIXELS = 3.0  # a silhouette off by less is a matter of taste


def cut_shares(cameras: Cameras, maps: SilhouetteMaps) -> torch.Tensor:
    """(V,) share of the hull of all but one view that this one view cuts off: near 0 for masks that agree.

    A mask that lacks a part of the object, or a wrong pose, cuts off what every other view sees; so does, a little,
    each of a few views from very different sides.

    Args:
        cameras: in the unit frame of the region of interest.
    """
    axis = -1 + 2 / _RESOLUTION * (torch.arange(_RESOLUTION) + 0.5)
    points = torch.cartesian_prod(axis, axis, axis)
    silhouettes = maps.seen_by(cameras)
    strict, tolerant = (VisualHull(silhouettes, tolerated).distances(points) for tolerated in (0, 1))
    pixel = float((cameras.centers().norm(dim=1) / cameras.focal_lengths()).median())
    inside = (tolerant.distances < 0) & (strict.seen > 1)
    cut = inside & (strict.distances > _MARGIN_PIXELS * pixel)
    return torch.bincount(strict.views[cut].long(), minlength=len(maps)) / max(int(inside.sum()), 1)
