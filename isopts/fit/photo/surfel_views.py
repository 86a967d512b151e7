"""Which views compare a surfel."""

import torch

from isopts.kernels.view_choice import ViewChoice, ViewChoiceLimits, choose_views

OBLIQUE = ViewChoiceLimits(reference_cosine_min=0.2, source_cosine_min=0.2, baseline_max_degrees=50.0)
_FEW = 2  # sources below which oblique ones are better than none


def choose_surfel_views(
    points: torch.Tensor,
    cosines: torch.Tensor,
    centers: torch.Tensor,
    noise: torch.Tensor,
    limits: ViewChoiceLimits,
) -> ViewChoice:
    """Views that see a surfel well; oblique ones too where there are fewer than two of them, as in a cavity.
    Arguments are those of `choose_views`."""
    references, sources = choose_views(points, cosines, centers, noise, limits)
    few = torch.nonzero((sources >= 0).sum(dim=1) < _FEW)[:, 0]
    if len(few) == 0:
        return ViewChoice(references, sources)
    widest = max(OBLIQUE.baseline_max_degrees, limits.baseline_max_degrees)
    oblique = OBLIQUE._replace(baseline_max_degrees=widest)
    more = choose_views(points[few], cosines[few], centers, noise[few], oblique)
    return ViewChoice(references.index_copy(0, few, more.references), sources.index_copy(0, few, more.sources))
