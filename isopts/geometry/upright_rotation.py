"""Which way is up, by the cameras that saw an object."""

import torch

from isopts.geometry.cameras import Cameras

_AGREED = 0.1  # length of the mean of the cameras' unit up vectors, below which they have no common one


def upright_rotation(cameras: Cameras) -> torch.Tensor:
    """Rotation (3, 3), float32 on the CPU, that takes the cameras' mean up to y; its second row is that direction.
    Cameras all around that have none keep theirs: the identity."""
    up = -cameras.rotations[:, 1].float().mean(dim=0).cpu()
    if up.norm() < _AGREED:
        return torch.eye(3)
    y = up / up.norm()
    farthest = torch.nn.functional.one_hot(y.abs().argmin(), 3).float()
    x = torch.nn.functional.normalize(torch.linalg.cross(y, farthest), dim=0)
    return torch.stack([x, y, torch.linalg.cross(x, y)])
