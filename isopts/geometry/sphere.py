"""A sphere as a value: the region of interest around an object."""

from dataclasses import dataclass

from isopts.geometry.frames import WorldToUnit


@dataclass(frozen=True)
class Sphere:
    """center (3,) and radius, in world units; the radius is positive."""

    center: tuple[float, float, float]
    radius: float

    def frame(self) -> WorldToUnit:
        """The frame in which this is the unit sphere."""
        return WorldToUnit(self.center, 1 / self.radius)
