"""From where a preview shows a result."""

import math
from typing import NamedTuple

import torch

from isopts.geometry.camera_side import camera_side
from isopts.geometry.cameras import Cameras
from isopts.geometry.upright_rotation import upright_rotation

_TOWARD_EYE = (0.65, 0.45, 1.0)  # y upwards
_TURN = math.radians(35)


class PreviewSides(NamedTuple):
    """up (3,): upwards in the picture. first, second (3,): from the object to the eye, not along `up`."""

    up: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor


def opposite_sides(upright: torch.Tensor | None = None) -> PreviewSides:
    """Two opposite three-quarter views from above. upright: (3, 3) rotation that takes up to y; None: y is up."""
    upright = torch.eye(3) if upright is None else upright
    toward = torch.tensor(_TOWARD_EYE)
    return PreviewSides(upright[1], toward @ upright, toward * torch.tensor([-1.0, 1.0, -1.0]) @ upright)


def camera_sides(cameras: Cameras) -> PreviewSides:
    """Upright as the cameras are. Where they are all on one side, from 35 degrees to the right and to the left of their
    middle, because nobody has seen the back; else two opposite sides.

    Args:
        cameras: of the picture's axes, with the object at the origin.
    """
    upright = upright_rotation(cameras)
    side = camera_side(cameras, upright)
    if side is None:
        return opposite_sides(upright)
    return PreviewSides(upright[1], _turned(side, upright[1], _TURN), _turned(side, upright[1], -_TURN))


def _turned(direction: torch.Tensor, axis: torch.Tensor, angle: float) -> torch.Tensor:
    """Counter-clockwise around the unit `axis` that points to the eye."""
    along = (direction @ axis) * axis
    return along + math.cos(angle) * (direction - along) + math.sin(angle) * torch.linalg.cross(axis, direction)
