"""A sphere as a value: the region of interest around an object."""

from dataclasses import dataclass

import numpy as np

from isopts.geometry.frames import WorldToUnit


@dataclass(frozen=True)
class Sphere:
    """center (3,) and radius, in world units; the radius is positive."""

    center: tuple[float, float, float]
    radius: float

    @staticmethod
    def around(points: np.ndarray) -> "Sphere":
        """The smallest one that holds `points` (N, 3) and is centred at the middle of their bounding box."""
        center = (points.min(axis=0) + points.max(axis=0)) / 2
        return Sphere(tuple(center.tolist()), float(np.linalg.norm(points - center, axis=1).max()))

    def frame(self) -> WorldToUnit:
        """The frame in which this is the unit sphere."""
        return WorldToUnit(self.center, 1 / self.radius)
