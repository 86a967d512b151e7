"""What corrections of all cameras have in common: a motion and scale of the world, which no image shows."""

from dataclasses import replace

import torch

from isopts.geometry.camera_corrections import CameraCorrections, cross_matrices
from isopts.geometry.cameras import Cameras

_ROUNDS = 3  # of Gauss-Newton; motions are small
_DAMPING = 1e-12  # relative: cameras may lie so that one of the motions is none


@torch.no_grad()
def without_gauge_motion(
    cameras: Cameras, corrections: CameraCorrections, stiffness: torch.Tensor
) -> CameraCorrections:
    """`corrections` that see the same in a world moved, turned and scaled so that they are as small as can be.

    Args:
        cameras: as given, V, float64. stiffness: (V, 7), weights of the squares of corrections that are made small.
    """
    weights = stiffness[:, :6].sqrt()
    for _ in range(_ROUNDS):
        corrected = corrections.applied(cameras)
        weighted = (weights * _directions(corrected)).flatten(1).T
        wanted = -(weights * corrections.vectors()[:, :6]).flatten()
        squares = weighted.T @ weighted  # not torch.linalg.lstsq: its last digit changes from call to call
        damping = _DAMPING * squares.diagonal().mean() * torch.eye(len(squares), dtype=squares.dtype)
        amounts = torch.linalg.solve(squares + damping, weighted.T @ wanted)
        corrections = CameraCorrections.between(cameras, _in_moved_world(corrected, amounts))
    return corrections


def _in_moved_world(cameras: Cameras, amounts: torch.Tensor) -> Cameras:
    """Cameras that see the same; amounts: (7,) of `_directions`."""
    rotations = cameras.rotations @ torch.linalg.matrix_exp(-cross_matrices(amounts[:3]))
    moves = torch.einsum("vij,j->vi", rotations, amounts[3:6])
    return replace(cameras, rotations=rotations, translations=amounts[6].exp() * cameras.translations + moves)


def _directions(cameras: Cameras) -> torch.Tensor:
    """(7, V, 6): how rotations and translations change with turns about x, y, z of the world, moves along them, scale.

    With x' = x + w cross x a camera R x + t sees the same as (R - R [w]) x' + t: turned by -R w about its centre, which
    alone would turn t, too.
    """
    columns = cameras.rotations.permute(2, 0, 1)  # (3, V, 3): R times each axis
    translations = cameras.translations.expand_as(columns)
    turns = torch.cat([-columns, torch.linalg.cross(columns, translations)], dim=2)
    moves = torch.cat([torch.zeros_like(columns), columns], dim=2)
    scale = torch.cat([torch.zeros_like(cameras.translations), cameras.translations], dim=1)
    return torch.cat([turns, moves, scale[None]])
