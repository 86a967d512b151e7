"""The definition: a draw among the best views, then the views at a suitable angle to it by their rank."""

import math

import torch
from torch.nn.functional import normalize, pad

from isopts.kernels.view_choice.kernel import DRAWN_COSINE_MIN, NOISE_SHARE
from isopts.kernels.view_choice.limits import ViewChoice, ViewChoiceLimits


def choose_views_reference(
    points: torch.Tensor, cosines: torch.Tensor, centers: torch.Tensor, noise: torch.Tensor, limits: ViewChoiceLimits
) -> ViewChoice:
    """See op.py. V is at least 1."""
    values, order = cosines.sort(dim=1, descending=True, stable=True)
    values, order = values[:, : limits.top], order[:, : limits.top]
    sums = torch.where(values > DRAWN_COSINE_MIN, values, 0).cumsum(dim=1)
    passed = (sums <= noise[:, :1] * sums[:, -1:]) & (sums < sums[:, -1:])
    drawn = passed.sum(dim=1, keepdim=True)
    reference = order.gather(1, drawn)
    usable = (values.gather(1, drawn) >= limits.reference_cosine_min) & (values.gather(1, drawn) > 0)

    directions = normalize(centers[None] - points[:, None], dim=2)
    angle_cosines = (directions * directions.take_along_dim(reference[..., None], dim=1)).sum(dim=2)
    low, high = (math.cos(math.radians(a)) for a in (limits.baseline_max_degrees, limits.baseline_min_degrees))
    fits = (cosines > limits.source_cosine_min) & (angle_cosines > low) & (angle_cosines < high)
    fits = fits.scatter(1, reference, False)
    ranks = torch.where(fits, angle_cosines + NOISE_SHARE * noise, -torch.inf)
    ranks, sources = ranks.sort(dim=1, descending=True, stable=True)
    sources = torch.where((ranks > -torch.inf) & usable, sources, -1)[:, : limits.sources]
    sources = pad(sources, (0, limits.sources - sources.shape[1]), value=-1)
    return ViewChoice(torch.where(sources[:, 0] >= 0, reference[:, 0], -1).int(), sources.int())
