"""Space in front of surfaces that photographs find behind the present one: cavities that no silhouette shows.

The visual hull closes a cavity with a lid. Photo-consistency pulls a lid nowhere: it is farther from the true surface
than any patch reaches. So iso-points whose patches disagree look along a line of sight for a depth at which they
agree; what is before it is free, as what is beside a silhouette is.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from pydantic import Field
from torch.nn import functional

from isopts.config import StrictModel
from isopts.geometry.spacing import nearest_distances
from isopts.kernels.neighbors import nearest_neighbors
from isopts.kernels.patch_consistency import PatchLimits, PatchViews, patch_consistency
from isopts.kernels.view_choice import ViewChoiceLimits, choose_views

if TYPE_CHECKING:
    from isopts.fit.views.surfels import Surfels

_LIMITS = ViewChoiceLimits(  # what lies deep is seen by few views, and squarely by none
    top=8,
    sources=6,
    reference_cosine_min=0.15,
    source_cosine_min=0.15,
    baseline_max_degrees=50.0,  # not widened for few views: what 17 around a skull then find is chance for two thirds
)
_ROUNDS = 4  # choices of views for each iso-point
_AGREEING = 2  # source views that agree with the reference
_PATCHES = PatchLimits(half_size=2)  # larger patches hang over the rim of a cavity
_DOUBTFUL, _SURE, _BETTER = 0.7, 0.65, 0.2  # NCC at the iso-point, at the depth found, and their least difference
_STEP_PIXELS = 2.0  # of the search, of the image level: a pixel in the sources at a baseline of 30 degrees
_LEAST, _MARGIN = 4.0, 3.0  # pixels: nearer surfaces attract by themselves; space before a surface that may be taken
_SUPPORT, _SUPPORT_SPACINGS = 5, 3.0  # so many other lines of sight must end within so many spacings
_CONFIRMED, _NEAREST = 0.8, 4  # NCC of a surface that is right; iso-points that say what a place is behind
_PER_RAY = 6  # free points
_KEPT_SHARE = 0.5  # of the free points found before: what is found again and again counts more

Value = Callable[[torch.Tensor], torch.Tensor]


class CarveConfig(StrictModel):
    """Cavities that the silhouettes do not show."""

    depth: float = Field(
        0.35,
        ge=0,
        lt=2,
        description="how far behind an iso-point a surface is looked for, by views within 50 degrees of two others (20 "
        "or more all around), unit frame; 0: nowhere",
    )
    until: float = Field(0.4, ge=0, le=1, description="share of the budget after which none is looked for")
    looks: int = Field(
        4,
        ge=1,
        description="extractions at which one is looked for, the first ones: lids are found, then chance matches",
    )
    first_rays: int = Field(
        4096,
        ge=1,
        description="iso-points that look, four times, at the first extraction: lids stand as the masks left them, and "
        "what is found behind them is nearly always right",
    )
    rays: int = Field(1024, ge=1, description="the same at later ones")
    points: int = Field(512, ge=1, description="free points in each step, at most; and a fifth of those found")


@torch.no_grad()
def find_free_points(
    surfels: "Surfels",
    value: Value,
    views: PatchViews,
    pixel: float,
    previous: torch.Tensor,
    config: CarveConfig,
    generator: torch.Generator,
    first: bool = False,
) -> torch.Tensor:
    """(M, 3) places in free space behind the surface, unit frame.

    Args:
        surfels: the iso-points, seen by `views`.
        value: signed distance; behind the back of the object nothing is looked for.
        views: images of the level to compare at. pixel: size of its pixels at the object.
        previous: (P, 3) found before. Half of them stay, but none behind a surface that photographs now confirm.
        first: whether this is the first look.
    """
    points = surfels.points
    if config.depth < _LEAST * pixel or len(points) <= _SUPPORT:
        return points[:0]
    rays = config.first_rays if first else config.rays
    rounds = [_look(surfels, value, views, pixel, config.depth, rays, generator) for _ in range(_ROUNDS)]
    origins, found = (torch.cat([each[part] for each in rounds]) for part in (0, 1))
    confirmed = points, torch.stack([each[2] for each in rounds]).amax(dim=0) > _CONFIRMED
    supported = _supported(found, points)
    origins, ways = origins[supported], (found - origins)[supported]
    reach = (1 - _MARGIN * pixel / ways.norm(dim=1, keepdim=True)) * ways
    shares = torch.rand((len(origins), _PER_RAY, 1), generator=generator).to(points)
    free = (origins[:, None] + shares * reach[:, None]).reshape(-1, 3)
    through = _behind_confirmed(free, *confirmed).view(-1, _PER_RAY).any(dim=1)
    kept = previous[(torch.rand(len(previous), generator=generator) < _KEPT_SHARE).to(previous.device)]
    return torch.cat((kept[~_behind_confirmed(kept, *confirmed)], free.view(-1, _PER_RAY, 3)[~through].reshape(-1, 3)))


def _look(
    surfels: "Surfels",
    value: Value,
    views: PatchViews,
    pixel: float,
    depth: float,
    rays: int,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """With one choice of views: iso-points (F, 3) whose patches disagree, where (F, 3) behind them others agree; and
    how well the patches of each iso-point (N,) agree."""
    points, cosines = surfels.points, surfels.cosines
    noise = torch.rand(cosines.shape, generator=generator).to(points)
    references, sources = choose_views(points, cosines, views.centers, noise, _LIMITS)
    scores = _agreement(patch_consistency(points, surfels.normals, references, sources, views, _PATCHES))
    order = torch.randperm(len(points), generator=generator).to(points.device)
    chosen = order[((scores < _DOUBTFUL) & (references >= 0))[order]][:rays]
    origins, references, sources = points[chosen], references[chosen], sources[chosen]
    directions = functional.normalize(origins - views.centers[references.long()], dim=1)
    depths, best = _search(origins, directions, references, sources, value, views, pixel, depth)
    found = (best > _SURE) & (best > scores[chosen] + _BETTER)
    return origins[found], (origins + depths[:, None] * directions)[found], scores


def _search(
    origins: torch.Tensor,
    directions: torch.Tensor,
    references: torch.Tensor,
    sources: torch.Tensor,
    value: Value,
    views: PatchViews,
    pixel: float,
    depth: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Depths (R,) along the lines of sight at which patches that face the reference agree best, and how well (R,)."""
    first, step = _LEAST * pixel, _STEP_PIXELS * pixel
    steps = int((depth - first) / step) + 1
    depths = first + step * torch.arange(steps, device=origins.device)
    places = (origins[:, None] + depths[:, None] * directions[:, None]).reshape(-1, 3)
    facing = (-directions).repeat_interleave(steps, dim=0)
    references, sources = references.repeat_interleave(steps), sources.repeat_interleave(steps, dim=0)
    scores = _agreement(patch_consistency(places, facing, references, sources, views, _PATCHES)).view(-1, steps)
    inside = (value(places.clamp(-1, 1)) < 0).view(-1, steps).cumprod(dim=1).bool()
    best, at = torch.where(inside, scores, -2.0).max(dim=1)
    return depths[at], best


def _agreement(scores: torch.Tensor) -> torch.Tensor:
    """(N,) mean of the best few (N, S)."""
    return scores.topk(_AGREEING, dim=1).values.mean(dim=1)


def _supported(found: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """(F,) bool: whether other lines of sight found a surface in the same place; chance does not."""
    if len(found) <= _SUPPORT:
        return torch.zeros(len(found), dtype=torch.bool, device=found.device)
    spacing = nearest_distances(points).median()
    farthest = nearest_neighbors(found, found, _SUPPORT + 1).squared_distances[:, -1]
    return farthest < (_SUPPORT_SPACINGS * spacing) ** 2


def _behind_confirmed(free: torch.Tensor, points: torch.Tensor, confirmed: torch.Tensor) -> torch.Tensor:
    """(F,) bool: whether photographs agree at most of the iso-points nearest to `free` (F, 3): those are no lid."""
    if len(free) == 0:
        return confirmed[:0]
    nearest = nearest_neighbors(free, points, _NEAREST).indices
    return confirmed[nearest].sum(dim=1) > _NEAREST // 2
