"""A point cloud as a value."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class PointCloud:
    """points (N, 3) float64, in the file's own coordinates; normals (N, 3) float32, unit, outward; None: no normals."""

    points: np.ndarray
    normals: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.points)
