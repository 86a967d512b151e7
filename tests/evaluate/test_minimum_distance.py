import numpy as np
import pytest
from scipy.spatial import cKDTree

from isopts.evaluate.minimum_distance import thin_to_minimum_distance


def thinned_one_by_one(points: np.ndarray, distance: float, generator: np.random.Generator) -> np.ndarray:
    """The definition."""
    taken = []
    for point in points[generator.permutation(len(points))]:
        if all(np.linalg.norm(point - other) > distance for other in taken):
            taken.append(point)
    return np.array(taken)


@pytest.mark.parametrize("distance", [0.05, 0.3])
def test_takes_what_a_walk_in_random_order_takes(distance):
    points = np.random.default_rng(0).random((1500, 3)) * [1, 1, 0.1]
    thinned = thin_to_minimum_distance(points, distance, np.random.default_rng(7))
    expected = thinned_one_by_one(points, distance, np.random.default_rng(7))
    assert {tuple(point) for point in thinned} == {tuple(point) for point in expected}


def test_across_batches():
    points = np.random.default_rng(1).random((60_000, 3)) * [1, 1, 0]
    thinned = thin_to_minimum_distance(points, 0.01, np.random.default_rng(0))
    tree = cKDTree(thinned)
    assert tree.query(thinned, 2)[0][:, 1].min() > 0.01
    assert tree.query(points)[0].max() <= 0.01
    assert 5000 < len(thinned) < 9000


def test_a_dense_cloud_of_one_place_becomes_one_point():
    points = 5.0 + 1e-3 * np.random.default_rng(0).random((50_000, 3))
    assert thin_to_minimum_distance(points, 0.2, np.random.default_rng(0)).shape == (1, 3)


def test_equal_points_and_none():
    assert len(thin_to_minimum_distance(np.ones((10, 3)), 0.2, np.random.default_rng(0))) == 1
    assert thin_to_minimum_distance(np.zeros((0, 3)), 0.2, np.random.default_rng(0)).shape == (0, 3)
