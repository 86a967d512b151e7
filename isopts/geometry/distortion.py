"""Lens distortion: radial and tangential polynomials (Brown, 1966) with the coefficients of OpenCV and COLMAP."""

from dataclasses import dataclass

import numpy as np
import torch

Coordinates = np.ndarray | torch.Tensor

_ZOOM_RANGE = (0.5, 4.0)
_BISECTIONS = 40


@dataclass(frozen=True)
class Distortion:
    """k1, k2: radial; p1, p2: tangential. Of coordinates on the plane z = 1."""

    k1: float = 0.0
    k2: float = 0.0
    p1: float = 0.0
    p2: float = 0.0

    def is_zero(self) -> bool:
        return self.k1 == self.k2 == self.p1 == self.p2 == 0

    def apply(self, x: Coordinates, y: Coordinates) -> tuple[Coordinates, Coordinates]:
        """Where the lens shows the undistorted point (x, y), both on the plane z = 1."""
        squared = x * x + y * y
        radial = 1 + squared * (self.k1 + squared * self.k2)
        cross = 2 * x * y
        return (
            x * radial + self.p1 * cross + self.p2 * (squared + 2 * x * x),
            y * radial + self.p2 * cross + self.p1 * (squared + 2 * y * y),
        )

    def folds(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Where the radial polynomial decreases: the lens model shows those directions twice and holds no more."""
        squared = x * x + y * y
        return 1 + squared * (3 * self.k1 + 5 * squared * self.k2) <= 0


def distorted_pixels(
    columns: Coordinates, rows: Coordinates, pinhole: np.ndarray, lens: np.ndarray, distortion: Distortion
) -> tuple[Coordinates, Coordinates]:
    """Where the photograph shows the pixels of its undistorted version.

    Args:
        columns, rows: of the undistorted image, of shapes that broadcast.
        pinhole: (3, 3) intrinsics of the undistorted image. lens: (3, 3), of the photograph. Neither has skew.

    Returns:
        Columns and rows in the photograph.
    """
    x, y = _on_plane(columns, rows, pinhole)
    x, y = distortion.apply(x, y)
    return x * float(lens[0, 0]) + float(lens[0, 2]), y * float(lens[1, 1]) + float(lens[1, 2])


def undistorted_intrinsics(lens: np.ndarray, size: tuple[int, int], distortion: Distortion) -> np.ndarray:
    """Intrinsics (3, 3) of an undistorted image of the same `size` (width, height) in which no pixel is blank.

    Only the focal length changes: as little zoom as keeps the whole border inside the photograph, so that a missing
    piece of the photograph is never taken for background.

    Raises:
        ValueError: a zoom of 4 is not enough.
    """
    width, height = size
    columns = np.concatenate([np.arange(width)] * 2 + [np.full(height, -0.5), np.full(height, width - 0.5)])
    rows = np.concatenate([np.full(width, -0.5), np.full(width, height - 0.5)] + [np.arange(height)] * 2)

    def all_inside(zoom: float) -> bool:
        pinhole = _zoomed(lens, zoom)
        at_columns, at_rows = distorted_pixels(columns, rows, pinhole, lens, distortion)
        inside = (np.abs(at_columns - (width - 1) / 2) <= width / 2) & (
            np.abs(at_rows - (height - 1) / 2) <= height / 2
        )
        return bool((inside & ~distortion.folds(*_on_plane(columns, rows, pinhole))).all())

    low, high = _ZOOM_RANGE
    with np.errstate(over="ignore", invalid="ignore"):  # the polynomials of a damaged file
        if not all_inside(high):
            raise ValueError(f"distorted too much for a pinhole camera: {distortion}")
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            low, high = (low, middle) if all_inside(middle) else (middle, high)
    return _zoomed(lens, high)


def _on_plane(columns: Coordinates, rows: Coordinates, pinhole: np.ndarray) -> tuple[Coordinates, Coordinates]:
    (fx, _, cx), (_, fy, cy) = pinhole[:2].tolist()
    return (columns - cx) / fx, (rows - cy) / fy


def _zoomed(intrinsics: np.ndarray, zoom: float) -> np.ndarray:
    return intrinsics * np.array([[zoom, 1, 1], [1, zoom, 1], [1, 1, 1]])
