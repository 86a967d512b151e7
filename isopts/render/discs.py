"""Points as small flat discs, so that they can be rendered like a surface."""

import math

import torch

_SIDES = 8
FACES_PER_DISC = _SIDES - 2


def build_discs(points: torch.Tensor, normals: torch.Tensor, radius: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Octagons around `points` (N, 3), facing along the unit `normals` (N, 3), lifted off the surface a little.

    Returns vertices (8 N, 3) and faces (6 N, 3), counter-clockwise seen against the normal.
    """
    across, up = _tangents(normals)
    angles = torch.arange(_SIDES, dtype=points.dtype) * (2 * math.pi / _SIDES)
    rim = angles.cos()[:, None] * across[:, None] + angles.sin()[:, None] * up[:, None]
    vertices = points[:, None] + 0.25 * radius * normals[:, None] + radius * rim
    fan = torch.tensor([[0, corner, corner + 1] for corner in range(1, _SIDES - 1)])
    faces = _SIDES * torch.arange(len(points))[:, None, None] + fan
    return vertices.reshape(-1, 3), faces.reshape(-1, 3)


def _tangents(normals: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Two unit vectors that make a right-handed frame with each normal."""
    farthest_axis = torch.nn.functional.one_hot(normals.abs().argmin(dim=1), 3).to(normals.dtype)
    across = torch.nn.functional.normalize(torch.linalg.cross(farthest_axis, normals), dim=1)
    return across, torch.linalg.cross(normals, across)
