import numpy as np
import pytest

from isopts.data.duplicates import first_occurrences


def by_definition(points):
    seen, kept = set(), []
    for index, point in enumerate((points + 0.0).tolist()):
        if tuple(point) not in seen:
            seen.add(tuple(point))
            kept.append(index)
    return kept


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("values", [2, 5, 1000])
def test_against_the_definition(seed, values):
    points = np.random.default_rng(seed).integers(-values, values, size=(500, 3)) / 4
    assert first_occurrences(points).tolist() == by_definition(points)


def test_signed_zeros_are_equal_and_neighbouring_floats_are_not():
    points = np.array([[0.0, 1, 2], [-0.0, 1, 2], [0.0, 1, np.nextafter(2, 3)], [1, 0, 2], [2, 1, 0]])
    assert first_occurrences(points).tolist() == [0, 2, 3, 4]


def test_empty():
    assert first_occurrences(np.empty((0, 3))).tolist() == []
