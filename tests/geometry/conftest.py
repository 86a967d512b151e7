"""Cameras around a ball, with exact masks."""

import math

import numpy as np
import pytest
import torch

from isopts.geometry.cameras import Camera, Cameras

CENTER, RADIUS, DISTANCE = np.array([30.0, -20.0, 10.0]), 4.0, 20.0


def ball_views(
    count: int, width: int = 160, height: int = 120, focal: float = 200.0
) -> tuple[Cameras, list[np.ndarray]]:
    """`count` cameras on a sphere around the ball, evenly spread, and masks (H, W) bool."""
    made, masks = [], []
    for index in range(count):
        z = 1 - (2 * index + 1) / count
        angle = index * math.pi * (3 - math.sqrt(5))
        direction = np.array([math.sqrt(1 - z * z) * math.cos(angle), math.sqrt(1 - z * z) * math.sin(angle), z])
        forward = -direction
        right = np.cross(forward, [0.31, 0.42, 0.85])
        right /= np.linalg.norm(right)
        rotation = np.stack([right, np.cross(forward, right), forward])
        intrinsics = np.array([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
        made.append(Camera(intrinsics, rotation, -rotation @ (CENTER + DISTANCE * direction)))
        row, column = np.mgrid[:height, :width]
        offset = np.hypot(row - (height - 1) / 2, column - (width - 1) / 2) / focal
        masks.append(offset < math.tan(math.asin(RADIUS / DISTANCE)))
    return Cameras.stack(made, [(width, height)] * count), masks


@pytest.fixture
def ball():
    """24 views of a ball of radius 4 around (30, -20, 10)."""
    return ball_views(24)


@pytest.fixture
def ball_in_unit_frame(ball):
    """The same in a frame where the ball's radius is 0.8."""
    from isopts.geometry.sphere import Sphere

    cameras, masks = ball
    return cameras.in_frame(Sphere(tuple(CENTER), RADIUS / 0.8).frame()), masks


@pytest.fixture
def unit_points() -> torch.Tensor:
    """(4000, 3) in the cube around the unit sphere."""
    return 2 * torch.rand(4000, 3, generator=torch.Generator().manual_seed(0)) - 1
