"""One consistent, outward sign for the normals of a point cloud."""

from typing import NamedTuple

import torch
from torch.nn import functional

from isopts.geometry.patch_signs import Dipoles, Links, dipoles, patch_signs
from isopts.geometry.side_links import Relate, mirrored, neighbors_along, plain, slopes_of, unweighted
from isopts.geometry.spanning_forest import SpanningForest, product_to_root, spanning_forest
from isopts.kernels.neighbors import nearest_neighbors

_SAMPLES = 3  # oriented one by one, whose majority counts: a single one misjudges a patch now and then
_SAMPLE = 10000  # points that are oriented; the others follow the nearest of them
_SUPPORT = 32  # points that a point of the sample is the average of
_VOTERS = 6
_SATISFIED_MIN = 0.88  # of what mirrored normals tell; less is noise
_SLOPE = 0.22  # median of links over their planes, up to which the winding number tells all
_TRUST_MIN = 0.8  # in the winding number, below which mirrored normals are not asked
_PLACES, _PLACE_POINTS = 500, 4  # where the winding number is compared
_CELL_MIN = 2.0**-20  # of the longest side, so that three indices fit into 63 bits


def orient_normals(
    points: torch.Tensor,
    normals: torch.Tensor,
    reliable: torch.Tensor | None = None,
    k: int = 10,
    seed: int = 0,
) -> torch.Tensor:
    """`normals` (N, 3) of `points` (N, 3) with signs that agree with each other and point out of the object.

    The cloud is thinned to one random point a voxel and moved onto the median plane of its neighbours, so that noise
    and outliers do not steer. Signs spread along minimum spanning trees of links between neighbours: one with cost
    1 - |n_i . n_j| (Hoppe et al., 1992), one that avoids links along the normals, one with what `side_links.mirrored`
    tells, which sees thin walls and edges, but also more noise. What a tree got wrong is found by the winding number of
    the whole, see `patch_signs`, whose energy also chooses between them; it counts less where the points are still
    noisy. All this is done three times, with other random points, and the majority counts. Open surfaces are tolerated;
    which side of a plane is outside is arbitrary.

    The signs are as good as the normals: estimate those with enough neighbours, see `adaptive_planes`.

    Args:
        normals: unit, of any sign.
        reliable: (N,) bool, points that may be chosen to steer, see `stray_points`; the others follow. None: all.
        k: neighbours in the graph. seed: of the choices.
    """
    if min(k, len(points) - 1) < 1:
        return normals
    local = points - points.mean(dim=0)  # squared distances keep their digits
    steering = torch.arange(len(points), device=points.device)
    if reliable is not None and bool(reliable.any()):
        steering = torch.nonzero(reliable).ravel()
    majority = sum(_sides(local, normals, steering, k, seed + sample) for sample in range(_SAMPLES))
    return torch.where(majority[:, None] < 0, -normals, normals)


def _sides(points: torch.Tensor, normals: torch.Tensor, steering: torch.Tensor, k: int, seed: int) -> torch.Tensor:
    """(N,) 1 or -1: the sides of `normals` that a random sample of the `steering` points tells."""
    sample, axes = _smoothed(points, normals, steering[_one_a_voxel(points[steering], seed)])
    if len(sample) < 2:  # all points are equal
        return torch.ones_like(normals[:, 0])
    neighbors = neighbors_along(sample, axes, k)
    trees = [_grown(sample, axes, neighbors, relate) for relate in (unweighted, plain, mirrored)]
    fixed, trust = dipoles(sample, axes, _places(neighbors, seed)), _winding_trust(sample, axes, neighbors)
    fixed = fixed._replace(shares=trust * fixed.shares)
    for relate in (mirrored, plain) if trust > _TRUST_MIN else (plain,):
        signs, satisfied = _consistent(sample, axes, fixed, trees, neighbors, relate)
        if satisfied >= _SATISFIED_MIN:
            break
    axes = signs[:, None] * axes
    near = nearest_neighbors(points, sample, min(_VOTERS, len(sample)))
    spacing = near.squared_distances.median().clamp_min(torch.finfo(points.dtype).tiny)
    closeness = 1 / (near.squared_distances + spacing)
    votes = (torch.einsum("nkd,nd->nk", axes[near.indices], normals) * closeness).sum(dim=1)
    return torch.where(votes < 0, -1.0, 1.0).to(normals)


class _Tree(NamedTuple):
    """forest: of links. turns: (N,) 1 or -1, signs that spread along it."""

    forest: SpanningForest
    turns: torch.Tensor


def _grown(points: torch.Tensor, axes: torch.Tensor, neighbors: torch.Tensor, relate: Relate) -> _Tree:
    """Of the links that tell most."""
    costs = 1.001 - relate(points, axes, neighbors).told.abs().clamp_max(1)  # scipy takes a zero for no edge
    forest = spanning_forest(costs, neighbors)
    same = relate(points, axes, forest.parents[:, None]).agreements[:, 0] >= 0
    return _Tree(forest, product_to_root(torch.where(same, 1.0, -1.0).to(axes), forest.parents))


def _places(neighbors: torch.Tensor, seed: int) -> torch.Tensor:
    """(Q, 4) indices of random points, each with three of its `neighbors` (N, K)."""
    chosen = torch.randperm(len(neighbors), generator=torch.Generator().manual_seed(seed))[:_PLACES]
    chosen = chosen.to(neighbors.device)
    return torch.cat((chosen[:, None], neighbors[chosen, : _PLACE_POINTS - 1]), dim=1)


def _winding_trust(points: torch.Tensor, axes: torch.Tensor, neighbors: torch.Tensor) -> float:
    """How much the winding number counts, up to 1: little where noise still displaces neighbours by as much as they are
    apart. It is far from 1/2 there, on the right surface too, and patches would turn only to cancel that."""
    slopes = slopes_of(points, axes, neighbors)[0].abs()
    return min(1.0, (_SLOPE / max(float(slopes.median()), 1e-6)) ** 4)


def _consistent(
    points: torch.Tensor,
    axes: torch.Tensor,
    fixed: Dipoles,
    trees: list[_Tree],
    neighbors: torch.Tensor,
    relate: Relate,
) -> tuple[torch.Tensor, float]:
    """Signs (N,) of the lowest orientation energy that a tree leads to, and how far they satisfy the links."""
    links, found = relate(points, axes, neighbors), []
    for forest, turns in trees:
        linked = Links(links.turned(turns), forest, relate(points, axes, forest.parents[:, None]).told[:, 0].abs())
        contributions = turns[:, None] * fixed.contributions
        signs, energy = patch_signs(fixed._replace(contributions=contributions), linked)
        found.append((energy, turns * signs))
    signs = min(found, key=lambda pair: pair[0])[1]
    return signs, links.satisfied(signs)


def _one_a_voxel(points: torch.Tensor, seed: int) -> torch.Tensor:
    """Indices of a random point in each voxel, of a size that leaves about `_SAMPLE` of them."""
    order = torch.randperm(len(points), generator=torch.Generator().manual_seed(seed)).to(points.device)
    if len(points) <= _SAMPLE:
        return order
    shifted = points[order] - points.min(dim=0).values
    longest = float(shifted.max())
    cell = longest * (3 / _SAMPLE) ** 0.5
    for _ in range(4):  # a surface meets voxels in proportion to 1 / cell^2
        indices = (shifted / max(cell, longest * _CELL_MIN, torch.finfo(points.dtype).tiny)).long()
        keys = (indices[:, 0] << 42) + (indices[:, 1] << 21) + indices[:, 2]
        voxels, owners = torch.unique(keys, return_inverse=True)
        cell *= (len(voxels) / _SAMPLE) ** 0.5
    first = owners.new_full((len(voxels),), len(points))
    first.scatter_reduce_(0, owners, torch.arange(len(points), device=points.device), "amin")
    return order[first]


def _smoothed(points: torch.Tensor, normals: torch.Tensor, chosen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The chosen points on the median plane of their neighbours, and the mean of the neighbours' axes, each turned
    to the own side and weighted by its agreement; unit."""
    near = nearest_neighbors(points[chosen], points, min(_SUPPORT, len(points))).indices
    cosines = torch.einsum("nkd,nd->nk", normals[near], normals[chosen])
    axes = functional.normalize((normals[near] * (cosines * cosines.abs())[:, :, None]).sum(dim=1), dim=1)
    heights = torch.einsum("nkd,nd->nk", points[near] - points[chosen][:, None], axes)
    return points[chosen] + heights.median(dim=1).values[:, None] * axes, axes
