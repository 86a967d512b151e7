"""Photographs resampled to what a lens without distortion shows."""

import numpy as np
from scipy.ndimage import map_coordinates

from isopts.geometry.distortion import Distortion, distorted_pixels

_ROWS = 256  # resampled at once: coordinates take 16 bytes a pixel


def undistort_picture(picture: np.ndarray, pinhole: np.ndarray, lens: np.ndarray, distortion: Distortion) -> np.ndarray:
    """(H, W, C) uint8, resampled bilinearly; outside of the photograph its border is repeated.

    Args:
        picture: (H, W, C) uint8.
        pinhole: (3, 3) intrinsics of the result. lens: (3, 3), of the photograph.
    """
    height, width = picture.shape[:2]
    result = np.empty_like(picture)
    for top in range(0, height, _ROWS):
        rows, columns = np.mgrid[top : min(top + _ROWS, height), :width].astype(np.float64)
        at_columns, at_rows = distorted_pixels(columns, rows, pinhole, lens, distortion)
        for channel in range(picture.shape[2]):
            target = result[top : top + _ROWS, :, channel]
            map_coordinates(picture[..., channel], [at_rows, at_columns], output=target, order=1, mode="nearest")
    return result
