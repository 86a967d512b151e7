"""Three coloured lights, red, green and blue, that let shading tell the directions of a surface apart."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

LightKind = Literal["directional", "point"]

AMBIENT = 0.12
_COLORS = torch.tensor([[1.0, 0.35, 0.35], [0.35, 1.0, 0.35], [0.35, 0.35, 1.0]])
_VARYING, _FIXED = 0.72, 0.42  # intensities: white where all meet is near 1
_POINT_DISTANCE = 3.0  # radii of the object
_TILT = (25.0, 60.0)  # degrees between a view's axis and its lights


@dataclass(frozen=True)
class Lights:
    """places (L, 3): unit directions towards directional lights, or where point lights are, in the unit frame.
    colors (L, 3) linear RGB. A point light does not fade with distance."""

    kind: LightKind
    places: torch.Tensor
    colors: torch.Tensor

    def irradiance(self, points: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
        """(N, 3): ambient and Lambert's cosine of each light, at points (N, 3) with unit normals (N, 3). No shadows."""
        total = torch.full_like(points, AMBIENT)
        for place, color in zip(self.places, self.colors, strict=True):
            toward = place if self.kind == "directional" else torch.nn.functional.normalize(place - points, dim=1)
            total += (normals * toward).sum(dim=1, keepdim=True).clamp_min(0) * color
        return total


def view_lights(rotation: torch.Tensor, kind: LightKind, generator: np.random.Generator) -> Lights:
    """Lights around the axis of one view, 120 degrees apart, turned and tilted at random.

    rotation: (3, 3) world to camera.
    """
    turn = generator.uniform(0, 2 * math.pi) + 2 * math.pi / 3 * np.arange(3)
    tilt = np.radians(generator.uniform(*_TILT, size=3))
    local = np.stack([np.sin(tilt) * np.cos(turn), np.sin(tilt) * np.sin(turn), -np.cos(tilt)], axis=1)
    return _lights(torch.from_numpy(local).to(rotation) @ rotation, kind, _VARYING)


def fixed_lights(kind: LightKind, generator: np.random.Generator) -> Lights:
    """Lights that stay where they are: a pair of each colour on opposite sides, at right angles, so that no side of
    the object is dark. Directional ones make the images of all views consistent in colour."""
    axes = torch.from_numpy(np.linalg.qr(generator.normal(size=(3, 3)))[0]).float()
    lights = _lights(axes, kind, _FIXED)
    return Lights(kind, torch.cat([lights.places, -lights.places]), lights.colors.repeat(2, 1))


def _lights(directions: torch.Tensor, kind: LightKind, intensity: float) -> Lights:
    distance = 1.0 if kind == "directional" else _POINT_DISTANCE
    return Lights(kind, distance * directions.float(), intensity * _COLORS)
