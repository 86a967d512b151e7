import numpy as np
import pytest

from isopts.data.precision import coordinate_dtype

POINTS = np.random.default_rng(0).random((100, 3))


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (POINTS, np.float32),
        (POINTS * 1e-9, np.float32),
        (POINTS * 1e9, np.float32),
        (POINTS + 5, np.float32),
        (POINTS + 100, np.float64),
        (POINTS * 100 + 5e6, np.float64),
        (np.zeros((0, 3)), np.float32),
        (np.ones((1, 3)), np.float32),
        (np.full((1, 3), 0.1), np.float64),
    ],
)
def test_double_precision_where_single_moves_points(points, expected):
    assert coordinate_dtype(points) == expected
