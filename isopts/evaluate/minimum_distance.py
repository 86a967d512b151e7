"""Thin a cloud to a minimum distance."""

import numpy as np
import torch
from scipy.spatial import cKDTree

from isopts.kernels.neighbors import fixed_radius_neighbors

_BATCH_MIN = 4096


def thin_to_minimum_distance(points: np.ndarray, distance: float, generator: np.random.Generator) -> np.ndarray:
    """Some of the points (N, 3), each farther than `distance` from every other one, each of the rest within it of one.

    Goes through the points in random order and takes those that nothing taken forbids. The order is cut into batches
    that grow with what is taken, so that neither time nor memory depend on how dense the cloud is.
    """
    order = generator.permutation(len(points))
    taken = np.zeros((0, 3))
    start = 0
    while start < len(order):
        batch = points[order[start : start + max(_BATCH_MIN, len(taken))]]
        start += len(batch)
        batch = batch[~_is_near(batch, taken, distance)]
        taken = np.concatenate([taken, batch[_take_in_order(batch, distance)]])
    return taken


def _is_near(points: np.ndarray, taken: np.ndarray, distance: float) -> np.ndarray:
    found = fixed_radius_neighbors(torch.from_numpy(points), torch.from_numpy(taken), distance, 1)
    return (found.indices[:, 0] >= 0).numpy()


def _take_in_order(points: np.ndarray, distance: float) -> np.ndarray:
    """(N,) bool: what a walk from the first point to the last takes, all points at once: of those left, every one with
    no earlier one near it is taken, and forbids those near it."""
    earlier, later = cKDTree(points).query_pairs(distance, output_type="ndarray").T if len(points) else np.zeros((2, 0))
    taken, left = np.zeros(len(points), dtype=bool), np.ones(len(points), dtype=bool)
    while left.any():
        first = left.copy()
        first[later] = False
        taken |= first
        left &= ~first
        left[later[first[earlier]]] = False
        open_pairs = left[earlier] & left[later]
        earlier, later = earlier[open_pairs], later[open_pairs]
    return taken
