"""One consistent, outward sign for the normals of a point cloud."""

import numpy as np
import torch
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

from isopts.geometry.spacing import areas
from isopts.kernels.neighbors import nearest_neighbors

_SAMPLE = 30000  # points that are oriented; the others follow the nearest of them
_SMOOTHING_STEPS = 2


def orient_normals(points: torch.Tensor, normals: torch.Tensor, k: int = 8, seed: int = 0) -> torch.Tensor:
    """`normals` (N, 3) of `points` (N, 3) with signs that agree with each other and point out of the object.

    A random sample is smoothed, so that noise and outliers do not steer. Signs spread along the minimum spanning tree
    of its k-neighbour graph with edge cost 1 - |n_i . n_j| (Hoppe et al., 1992); few neighbours keep the two sides of a
    thin part apart. Each connected part is turned so that it encloses a positive volume about its centre, so the wall
    of a cavity that the scan has no passage to ends up inside out. Open and noisy surfaces are tolerated; which side of
    a plane is outside is arbitrary.

    The signs are as good as the normals: estimate those with enough neighbours, see `noise_and_support`.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(points), generator=generator)[:_SAMPLE].to(points.device)
    sample, axes = points[chosen], normals[chosen]
    k = min(k, len(sample) - 1)
    if k < 1:
        return normals
    neighbors = nearest_neighbors(sample, sample, k + 1).indices[:, 1:]
    for _ in range(_SMOOTHING_STEPS):
        axes = _smoothed(axes, neighbors)
    oriented = axes * _signs_along_tree(sample, axes, neighbors)[:, None]
    nearest = nearest_neighbors(points, sample, min(4, len(sample))).indices
    votes = torch.einsum("nkd,nd->nk", oriented[nearest], normals).sum(dim=1)
    return torch.where(votes[:, None] < 0, -normals, normals)


def _smoothed(axes: torch.Tensor, neighbors: torch.Tensor) -> torch.Tensor:
    """Mean of the neighbours' axes (N, 3), each turned to the own side; unit."""
    others = axes[neighbors]
    cosines = torch.einsum("nkd,nd->nk", others, axes)
    total = axes + (others * (cosines * cosines.abs())[:, :, None]).sum(dim=1)
    return torch.nn.functional.normalize(total, dim=1)


def _signs_along_tree(points: torch.Tensor, axes: torch.Tensor, neighbors: torch.Tensor) -> torch.Tensor:
    """Signs (N,) that make `axes` agree along the spanning forest; each of its trees encloses a positive volume."""
    parts, parents = _spanning_forest(axes, neighbors)
    signs = torch.where((axes * axes[parents]).sum(dim=1) < 0, -1.0, 1.0).to(axes)
    signs[parents == torch.arange(len(parents), device=parents.device)] = 1.0
    while not torch.equal(parents, parents[parents]):  # a sign is the product of all links up to the root
        signs, parents = signs * signs[parents], parents[parents]
    shares = areas(points).clamp_max(float(areas(points).median()) * 4)
    total = points.new_zeros(int(parts.max()) + 1).index_add(0, parts, shares)
    centers = points.new_zeros((len(total), 3)).index_add(0, parts, shares[:, None] * points) / total[:, None]
    heights = ((points - centers[parts]) * axes).sum(dim=1) * signs
    volumes = torch.zeros_like(total).index_add(0, parts, shares * heights)
    return torch.where(volumes[parts] < 0, -signs, signs)


def _spanning_forest(axes: torch.Tensor, neighbors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Connected part (N,) of every point and its parent (N,) in the minimum spanning forest; roots are their own."""
    count, k = neighbors.shape
    cosines = torch.einsum("nkd,nd->nk", axes[neighbors], axes)
    costs = (1.001 - cosines.abs().clamp_max(1)).double().cpu().numpy().ravel()  # scipy takes a zero for no edge
    columns = neighbors.cpu().numpy().ravel()
    graph = csr_matrix((costs, columns, np.arange(0, count * k + 1, k)), shape=(count, count))
    tree = minimum_spanning_tree(graph).tocoo()
    parts_count, parts = connected_components(tree, directed=False)
    roots = np.unique(parts, return_index=True)[1]
    hub = np.full(parts_count, count)  # one more node holds the roots, so that a single traversal reaches every part
    rows, columns = np.concatenate([tree.row, hub]), np.concatenate([tree.col, roots])
    joined = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(count + 1, count + 1)).tocsr()
    _, parents = breadth_first_order(joined, count, directed=False)
    parents[roots] = roots
    device = axes.device
    return torch.from_numpy(parts).long().to(device), torch.from_numpy(parents[:count]).long().to(device)
