"""Which patches of an oriented cloud look the wrong way, by the winding number of the whole."""

import math
from typing import NamedTuple

import torch
from torch.nn import functional

from isopts.geometry.side_links import SideLinks
from isopts.geometry.spacing import areas
from isopts.geometry.spanning_forest import SpanningForest

_CUTS = 400  # weakest links of the forest, between which patches are judged
_PATCH_SHARE = 1 / 2000  # of all points; smaller subtrees follow their neighbours
_CHUNK = 2500  # points; bounds the (chunk, queries) temporaries
_GAIN_MIN = 1e-5  # of an energy whose terms are shares of the whole; below it rounding decides


class Dipoles(NamedTuple):
    """contributions: (N, Q), of each point with its normal to the winding number at each of Q places of the cloud.
    shares: (Q,), of the area, that these stand for; they sum to 1, or to how much the winding number is trusted."""

    contributions: torch.Tensor
    shares: torch.Tensor


def dipoles(points: torch.Tensor, normals: torch.Tensor, places: torch.Tensor) -> Dipoles:
    """Of `points` and unit `normals` (N, 3). The winding number is compared at `places` (Q, K), each the mean over K
    points nearby, of which these are the indices: noise displaces a point to one side or the other, where it is far
    from 1/2."""
    spread = areas(points)
    spread = spread.clamp_max(4 * spread.median())  # an outlier stands for no surface
    softening = spread.median().clamp_min(torch.finfo(points.dtype).tiny)  # squared; about the spacing of the points
    moments = normals * spread[:, None] / (4 * math.pi)
    queries = points[places.ravel()]
    norms = queries.square().sum(dim=1)
    parts = []
    for some, some_moments in zip(points.split(_CHUNK), moments.split(_CHUNK), strict=True):
        squared = some.square().sum(dim=1)[:, None] + norms - 2 * some @ queries.T
        inverse = squared.clamp_min_(softening).rsqrt_()
        heights = (some * some_moments).sum(dim=1)[:, None] - some_moments @ queries.T
        parts.append((heights * (inverse * inverse * inverse)).view(len(some), *places.shape).mean(dim=2))
    area = spread[places[:, 0]]
    return Dipoles(torch.cat(parts), area / area.sum())


class Links(NamedTuple):
    """links: between the points. forest: of these links. strengths: (N,), weight and size of the agreement of each
    point with its parent."""

    links: SideLinks
    forest: SpanningForest
    strengths: torch.Tensor


def patch_signs(fixed: Dipoles, linked: Links) -> tuple[torch.Tensor, float]:
    """Signs (N,) for patches of a cloud that lower its orientation energy, and the energy reached.

    The energy is the area's mean of (w - 1/2)^2, w the generalised winding number, which is 1/2 on every surface whose
    normals point outward (walls of cavities included), less the weighted mean of what the links tell, see `SideLinks`.
    The first sees thin walls, inside-out cavities and parts; the second, proportional to the length of a patch's
    border, keeps noise from turning small patches.

    The forest is cut at its weakest links. With the normals fixed the energy is a quadratic form of the patches'
    signs, so every flip of a patch or a subtree is evaluated exactly, and the best is taken until none gains.

    Args:
        fixed: the dipoles of the points, whose noise and density are even: thinned and smoothed.
        linked: agreements of the normals that the dipoles have.
    """
    places, count = linked.forest.places, len(linked.strengths)
    starts, ends = _weakest_subtrees(linked.strengths, linked.forest, places)
    borders = places.new_zeros(count + 1)
    borders[starts], borders[ends], borders[0] = 1, 1, 1
    numbers = borders.cumsum(0) - 1  # patch of each place in the order
    patches, size = numbers[places], int(numbers[count - 1]) + 1
    alone = torch.arange(size, device=places.device)
    last = torch.where(ends < count, numbers[ends], size)
    first, last = torch.cat((numbers[starts], alone)), torch.cat((last, alone + 1))
    quadratic, linear = _winding_energy(fixed, patches, size)
    quadratic = quadratic - _agreement_energy(linked.links, patches, size)
    signs, energy = _descend(quadratic.double(), linear.double(), first, last)
    return signs[patches].to(fixed.contributions), energy + 0.25 * float(fixed.shares.sum())


def _weakest_subtrees(
    strengths: torch.Tensor, forest: SpanningForest, places: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """First and past-the-last of the `places` (N,) in the forest's order of the subtrees (or whole parts) that hang by
    the weakest links."""
    count = len(strengths)
    is_root = forest.parents == torch.arange(count, device=strengths.device)
    strength = torch.where(is_root, -forest.sizes.to(strengths), strengths)  # parts have no link; the largest first
    large = torch.nonzero(forest.sizes >= max(4, int(_PATCH_SHARE * count))).ravel()
    chosen = large[strength[large].argsort(stable=True)[:_CUTS]]
    return places[chosen], places[chosen] + forest.sizes[chosen]


def _winding_energy(fixed: Dipoles, patches: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Q (P, P) and b (P,) with s^T Q s - b^T s + 1/4 the area's mean of (w - 1/2)^2 for the patch signs s."""
    winding = fixed.contributions.new_zeros((count, fixed.contributions.shape[1]))  # by each patch alone
    winding.index_add_(0, patches, fixed.contributions)
    weighted = winding * fixed.shares
    return weighted @ winding.T, weighted.sum(dim=1)


def _agreement_energy(links: SideLinks, patches: torch.Tensor, count: int) -> torch.Tensor:
    """A (P, P), symmetric, with s^T A s the weighted mean of what the links tell for the patch signs s."""
    total = links.weights.sum().clamp_min(torch.finfo(links.weights.dtype).tiny)
    told = links.told / total
    pairs = patches[:, None] * count + patches[links.neighbors]
    sums = told.new_zeros(count * count).index_add(0, pairs.ravel(), told.ravel()).view(count, count)
    return (sums + sums.T) / 2


def _descend(
    quadratic: torch.Tensor, linear: torch.Tensor, first: torch.Tensor, last: torch.Tensor
) -> tuple[torch.Tensor, float]:
    """Signs (P,) that no flip of patches first ... last - 1 improves, by steepest descent from all positive, and
    s^T Q s - b^T s there. Sums over an interval of patches are differences of running sums."""
    signs = torch.ones_like(linear)
    for _ in range(4 * len(linear)):
        field = 2 * (quadratic @ signs) - linear
        pairs = functional.pad((signs[:, None] * quadratic * signs).cumsum(0).cumsum(1), (1, 0, 1, 0))
        inside = pairs[last, last] - pairs[first, last] - pairs[last, first] + pairs[first, first]
        singles = functional.pad((signs * field).cumsum(0), (1, 0))
        gains = 2 * (singles[last] - singles[first]) - 4 * inside
        best = int(gains.argmax())
        if gains[best] < _GAIN_MIN:
            break
        signs[first[best] : last[best]] *= -1
    return signs, float(signs @ quadratic @ signs - linear @ signs)
