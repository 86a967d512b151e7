"""Which patches of an oriented cloud look the wrong way, by the winding number of the whole."""

import math
from typing import NamedTuple

import torch

from isopts.geometry.spacing import areas
from isopts.geometry.spanning_forest import SpanningForest

_CUTS = 200  # weakest links of the forest, between which patches are judged
_PATCH_SHARE = 1 / 2000  # of all points; smaller subtrees follow their neighbours
_QUERIES = 1000  # points at which the winding number is compared
_CHUNK = 2500  # points; bounds the (chunk, queries) temporaries
_GAIN_MIN = 1e-5  # of an energy whose terms are shares of the whole; below it rounding decides


class Dipoles(NamedTuple):
    """contributions: (N, Q), of each point with its normal to the winding number at each of Q points of the cloud.
    shares: (Q,), of the area, that these stand for; they sum to 1."""

    contributions: torch.Tensor
    shares: torch.Tensor


def dipoles(points: torch.Tensor, normals: torch.Tensor, seed: int = 0) -> Dipoles:
    """Of `points` and unit `normals` (N, 3); `seed` chooses the points where the winding number is compared."""
    spread = areas(points)
    spread = spread.clamp_max(4 * spread.median())  # an outlier stands for no surface
    softening = spread.median().clamp_min(torch.finfo(points.dtype).tiny)  # squared; about the spacing of the points
    moments = normals * spread[:, None] / (4 * math.pi)
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(points), generator=generator)[:_QUERIES].to(points.device)
    queries, norms = points[chosen], points[chosen].square().sum(dim=1)
    parts = []
    for some, some_moments in zip(points.split(_CHUNK), moments.split(_CHUNK), strict=True):
        squared = some.square().sum(dim=1)[:, None] + norms - 2 * some @ queries.T
        inverse = squared.clamp_min_(softening).rsqrt_()
        heights = (some * some_moments).sum(dim=1)[:, None] - some_moments @ queries.T
        parts.append(heights * (inverse * inverse * inverse))
    return Dipoles(torch.cat(parts), spread[chosen] / spread[chosen].sum())


class Links(NamedTuple):
    """neighbors: (N, K) int64, all present. weights: (N, K) in [0, 1], how far each link is along the surface.
    forest: of these links. strengths: (N,), of the link of each point to its parent, weighted likewise."""

    neighbors: torch.Tensor
    weights: torch.Tensor
    forest: SpanningForest
    strengths: torch.Tensor


def patch_signs(normals: torch.Tensor, fixed: Dipoles, links: Links) -> tuple[torch.Tensor, float]:
    """Signs (N,) for patches of a cloud that lower its orientation energy, and the energy reached.

    The energy is the area's mean of (w - 1/2)^2, w the generalised winding number, which is 1/2 on every surface whose
    normals point outward (walls of cavities included), less the mean of <n_i, n_j> over the links of neighbours, which
    count as far as they are along the surface: the two sides of a thin wall are to face away from each other.
    The first sees thin walls, inside-out cavities and parts; the second, proportional to the length of a patch's
    border, keeps noise from turning small patches.

    The forest is cut at its weakest links. With the normals fixed the energy is a quadratic form of the patches'
    signs, so every flip of a patch or a subtree is evaluated exactly, and the best is taken until none gains.

    Args:
        normals: (N, 3), unit, of points whose noise and density are even: thinned and smoothed.
        fixed: the dipoles of these points with these normals.
    """
    forest = links.forest
    starts, ends = _weakest_subtrees(links.strengths, forest)
    places = torch.empty_like(forest.order)
    places[forest.order] = torch.arange(len(normals), device=normals.device)
    borders = torch.zeros(len(normals) + 1, dtype=torch.int64, device=normals.device)
    borders[starts], borders[ends], borders[0] = 1, 1, 1
    numbers = borders.cumsum(0) - 1  # patch of each place in the order
    patches = numbers[places]
    count = int(patches.max()) + 1
    all_patches = torch.arange(count, device=normals.device)
    last = torch.where(ends < len(normals), numbers[ends], count)
    subtrees = (all_patches >= numbers[starts][:, None]) & (all_patches < last[:, None])
    moves = torch.cat([subtrees, torch.eye(count, dtype=torch.bool, device=normals.device)])
    quadratic, linear = _winding_energy(fixed, patches, count)
    quadratic = quadratic - _agreement_energy(normals, links, patches, count)
    signs = _descend(quadratic, linear, moves.to(normals))
    return signs[patches], float(signs @ quadratic @ signs - linear @ signs) + 0.25


def _weakest_subtrees(strengths: torch.Tensor, forest: SpanningForest) -> tuple[torch.Tensor, torch.Tensor]:
    """First and past-the-last place in the forest's order of the subtrees (or whole parts) that hang by the weakest
    links."""
    count = len(strengths)
    nodes = torch.arange(count, device=strengths.device)
    is_root = forest.parents == nodes
    strength = torch.where(is_root, -forest.sizes.to(strengths), strengths)  # parts have no link; the largest first
    large = torch.nonzero(forest.sizes >= max(4, int(_PATCH_SHARE * count))).ravel()
    chosen = large[strength[large].argsort(stable=True)[:_CUTS]]
    places = torch.empty_like(nodes)
    places[forest.order] = nodes
    return places[chosen], places[chosen] + forest.sizes[chosen]


def _winding_energy(fixed: Dipoles, patches: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Q (P, P) and b (P,) with s^T Q s - b^T s + 1/4 the area's mean of (w - 1/2)^2 for the patch signs s."""
    winding = fixed.contributions.new_zeros((count, fixed.contributions.shape[1]))  # by each patch alone
    winding.index_add_(0, patches, fixed.contributions)
    weighted = winding * fixed.shares
    return weighted @ winding.T, weighted.sum(dim=1)


def _agreement_energy(normals: torch.Tensor, links: Links, patches: torch.Tensor, count: int) -> torch.Tensor:
    """A (P, P), symmetric, with s^T A s the weighted mean agreement of the links for the patch signs s."""
    total = links.weights.sum().clamp_min(torch.finfo(links.weights.dtype).tiny)
    agreement = links.weights / total * torch.einsum("nkd,nd->nk", normals[links.neighbors], normals)
    pairs = patches[:, None] * count + patches[links.neighbors]
    sums = normals.new_zeros(count * count).index_add(0, pairs.ravel(), agreement.ravel()).view(count, count)
    return (sums + sums.T) / 2


def _descend(quadratic: torch.Tensor, linear: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
    """Signs (P,) that no row of `moves` (M, P), 1 where it flips, improves; steepest descent from all positive."""
    signs = torch.ones_like(linear)
    for _ in range(4 * len(linear)):
        flipped = moves * signs
        gains = 4 * flipped @ (quadratic @ signs) - 4 * ((flipped @ quadratic) * flipped).sum(dim=1)
        gains = gains - 2 * flipped @ linear
        best = int(gains.argmax())
        if gains[best] < _GAIN_MIN:
            break
        signs = torch.where(moves[best] > 0, -signs, signs)
    return signs
