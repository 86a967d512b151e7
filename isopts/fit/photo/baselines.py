"""Which views can be compared with each other, by how many there are."""

import torch

from isopts.geometry.cameras import Cameras
from isopts.kernels.view_choice import ViewChoiceLimits

_NEAREST = 1.3  # times the angle to the nearest view: so far apart may views be that are compared
_WIDEST_DEGREES = 75.0  # beyond, a patch is seen too obliquely in one of the two


def comparison_limits(cameras: Cameras) -> ViewChoiceLimits:
    """Limits for the patches of these views, unit frame: up to 40 degrees apart as by default, farther where few views
    surround the object and none is as near as that."""
    usual = ViewChoiceLimits()
    directions = torch.nn.functional.normalize(cameras.centers().double(), dim=1)
    cosines = (directions @ directions.T).fill_diagonal_(-1)
    nearest = torch.rad2deg(cosines.amax(dim=1).clamp(-1, 1).arccos()).median()
    widest = min(max(usual.baseline_max_degrees, _NEAREST * float(nearest)), _WIDEST_DEGREES)
    return usual._replace(baseline_max_degrees=widest)
