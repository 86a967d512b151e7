"""Colours for a surface that has none: grey, lit from the eye."""

import torch
from torch.nn import functional

from isopts.render.view_image import Shade, ValueAndGradient

_AMBIENT, _DIFFUSE = 0.15, 0.75  # of white, as a picture file counts it


def headlight(value_and_gradient: ValueAndGradient) -> Shade:
    """Grey from 0.15 where the surface is seen along itself to 0.9 where it faces the eye."""

    def shade(points: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
        normals = functional.normalize(value_and_gradient(points)[1], dim=1)
        facing = -(normals * directions).sum(dim=1, keepdim=True)
        return (_AMBIENT + _DIFFUSE * facing.clamp_min(0)).expand(-1, 3)

    return shade
