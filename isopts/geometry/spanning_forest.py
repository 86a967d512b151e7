"""Minimum spanning forest of a neighbour graph, ready for sums over its subtrees."""

from typing import NamedTuple

import numpy as np
import torch
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, depth_first_order, minimum_spanning_tree


class SpanningForest(NamedTuple):
    """parents: (N,), a root is its own. order: (N,), depth first, parents before children. sizes: (N,), points of the
    subtree under each point, itself included; they are consecutive in `order`. All int64."""

    parents: torch.Tensor
    order: torch.Tensor
    sizes: torch.Tensor

    @property
    def places(self) -> torch.Tensor:
        """(N,) of each point in the order."""
        places = torch.empty_like(self.order)
        places[self.order] = torch.arange(len(places), device=places.device)
        return places


def spanning_forest(costs: torch.Tensor, neighbors: torch.Tensor) -> SpanningForest:
    """The forest over the links of `neighbors` (N, K) int64, all present, with `costs` (N, K) above zero. Between two
    points the last of equal links counts."""
    count, k = neighbors.shape
    entries = costs.double().cpu().numpy().ravel(), neighbors.cpu().numpy().ravel(), np.arange(0, count * k + 1, k)
    tree = minimum_spanning_tree(csr_matrix(entries, shape=(count, count))).tocoo()
    parts = connected_components(tree, directed=False)[1]
    roots = np.unique(parts, return_index=True)[1]
    hub = np.full(len(roots), count)  # one more node holds the roots, so that a single traversal reaches every part
    rows, columns = np.concatenate([tree.row, hub]), np.concatenate([tree.col, roots])
    joined = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(count + 1, count + 1)).tocsr()
    order, parents = depth_first_order(joined, count, directed=False)
    order, parents = order[1:].astype(np.int64), parents[:count].astype(np.int64)
    parents[roots] = roots
    found = SpanningForest(*(torch.from_numpy(part) for part in (parents, order, _subtree_sizes(parents, order))))
    return SpanningForest(*(part.to(costs.device) for part in found))


def product_to_root(values: torch.Tensor, parents: torch.Tensor) -> torch.Tensor:
    """Products (N,) of `values` (N,) along the path from every point up to its root, whose value is 1."""
    while not torch.equal(parents, parents[parents]):  # every round doubles the length of the path
        values, parents = values * values[parents], parents[parents]
    return values


def _subtree_sizes(parents: np.ndarray, order: np.ndarray) -> np.ndarray:
    sizes, parent_of = [1] * len(parents), parents.tolist()
    for node in reversed(order.tolist()):
        if parent_of[node] != node:
            sizes[parent_of[node]] += sizes[node]
    return np.array(sizes, dtype=np.int64)
