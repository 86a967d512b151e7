"""Cameras on a circle around an object."""

from dataclasses import dataclass, replace
from math import asin, cos, pi, radians, sin

import torch

from isopts.geometry.cameras import Cameras
from isopts.geometry.upright_rotation import upright_rotation

_ELEVATION_MAX = radians(80)  # nearer to the vertical the circle is a point


@dataclass(frozen=True)
class Orbit:
    """A circle around the origin. distance: of its cameras, from there. elevation: above the origin, in radians.
    upright: (3, 3) rotation, its second row upwards; the circle begins above its third. intrinsics: (3, 3) K of every
    camera, for images of `size` (width, height)."""

    distance: float
    elevation: float
    upright: torch.Tensor
    intrinsics: torch.Tensor
    size: tuple[int, int]

    @staticmethod
    def like(cameras: Cameras) -> "Orbit":
        """At the median distance and elevation of `cameras`, whose frame has the object at its origin, upright as they
        are; begins above or below the first of them. The images are the first one's, with the origin in the middle."""
        upright = upright_rotation(cameras)
        centers = cameras.centers().float().cpu() @ upright.T
        distances = centers.norm(dim=1)
        elevation = asin(float((centers[:, 1] / distances).median().clamp(-1, 1)))
        size = tuple(cameras.sizes[0].tolist())
        intrinsics = cameras.intrinsics[0].float().cpu().clone()
        intrinsics[:2, 2] = (torch.tensor(size) - 1) / 2
        turned = _turned(upright, float(torch.atan2(centers[0, 0], centers[0, 2])))
        return Orbit(float(distances.median()), elevation, turned, intrinsics, size)

    def resized(self, size: tuple[int, int]) -> "Orbit":
        """For images of another size, or shape: what was in the image stays in it."""
        factor = min(size[0] / self.size[0], size[1] / self.size[1])
        intrinsics = self.intrinsics.clone()
        intrinsics[:2, :2] *= factor
        intrinsics[:2, 2] = (torch.tensor(size) - 1) / 2
        return replace(self, intrinsics=intrinsics, size=size)

    def cameras(self, count: int) -> Cameras:
        """`count` cameras, evenly around and counter-clockwise seen from above; they look at the origin. float32."""
        elevation = max(-_ELEVATION_MAX, min(_ELEVATION_MAX, self.elevation))
        rotations = [_looking_inwards(2 * pi * number / count, elevation) for number in range(count)]
        return Cameras(
            self.intrinsics.repeat(count, 1, 1),
            torch.stack(rotations) @ self.upright,
            torch.tensor([0.0, 0.0, self.distance]).repeat(count, 1),
            torch.tensor(self.size).repeat(count, 1),
        )


def _turned(upright: torch.Tensor, angle: float) -> torch.Tensor:
    """The same up, with the third row turned by `angle` towards the first."""
    x, y, z = upright
    return torch.stack([cos(angle) * x - sin(angle) * z, y, cos(angle) * z + sin(angle) * x])


def _looking_inwards(azimuth: float, elevation: float) -> torch.Tensor:
    """(3, 3) from axes with y upwards to those of a level camera at this azimuth, from z towards x."""
    level = torch.tensor([sin(azimuth), 0.0, cos(azimuth)])
    up = torch.tensor([0.0, 1.0, 0.0])
    toward = cos(elevation) * level + sin(elevation) * up
    down = sin(elevation) * level - cos(elevation) * up
    return torch.stack([torch.linalg.cross(down, -toward), down, -toward])
