"""The colours of surface points from the photographs that show them best."""

from collections.abc import Callable

import torch

from isopts.geometry.cameras import Cameras
from isopts.render.view_weights import OnObject

_VIEWS_MAX = 4  # more blur what is not aligned perfectly
_REST = 1e-3  # of the weight of the best view that is not used: what keeps equal weights from vanishing

Sample = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""views (R,), pixels (R, 2) -> colours (R, 3) in 0 ... 1."""


def blend_views(
    points: torch.Tensor, weights: torch.Tensor, cameras: Cameras, sample: Sample, on_object: OnObject
) -> tuple[torch.Tensor, torch.Tensor]:
    """Colours (N, 3) in 0 ... 1, and which points any view shows (N,) bool; the others are black.

    The four views with the greatest weights are blended. Their weights count from that of the fifth, so that no step
    shows where one of them is replaced by another.

    Args:
        points: (N, 3) float32, unit frame. weights: (N, V), not negative. cameras: V, of that frame.
    """
    used = min(_VIEWS_MAX, len(cameras))
    best, views = weights.topk(min(used + 1, len(cameras)), dim=1)
    if len(cameras) > used:
        best, views = best[:, :used] - (1 - _REST) * best[:, used:], views[:, :used]
    pixels = cameras.project_each(points, views).flatten(0, 1)
    views = views.flatten()
    best = torch.where(on_object(views, pixels), best.flatten(), 0).view(-1, used, 1)
    colors = (best * sample(views, pixels).view(-1, used, 3)).sum(dim=1)
    total = best.sum(dim=1)
    return colors / total.clamp_min(1e-30), total[:, 0] > 0
