"""The side of an object on which its cameras are."""

import torch

from isopts.geometry.cameras import Cameras

_ONE_SIDED = 0.4  # level part of the mean direction to the cameras; half a turn of them has 0.64


def camera_side(cameras: Cameras, upright: torch.Tensor) -> torch.Tensor | None:
    """Mean unit direction (3,) from the origin to the cameras; None where they are on more than one side.

    Args:
        cameras: of a frame with the object at its origin.
        upright: (3, 3) rotation, its second row upwards (see `upright_rotation`).
    """
    middle = torch.nn.functional.normalize(cameras.centers().float().cpu(), dim=1).mean(dim=0)
    level = middle - (middle @ upright[1]) * upright[1]
    return None if level.norm() < _ONE_SIDED else middle / middle.norm()
