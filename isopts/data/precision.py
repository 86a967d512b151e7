"""Which floating-point type a file's coordinates need."""

import numpy as np

_RELATIVE_ROUNDING_MAX = 1e-6  # of the longest side; ten times below what a fit resolves


def coordinate_dtype(points: np.ndarray) -> np.dtype:
    """float32 where it moves no coordinate of `points` (N, 3) by more than 1e-6 of the longest side, else float64.

    Coordinates far from the origin, such as geo-referenced ones, need float64: at 5e6 float32 steps by 0.5.
    """
    if len(points) == 0:
        return np.dtype(np.float32)
    moved = np.abs(points - points.astype(np.float32)).max()
    return np.dtype(np.float32 if moved <= _RELATIVE_ROUNDING_MAX * np.ptp(points, axis=0).max() else np.float64)
