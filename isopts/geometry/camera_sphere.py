"""Cameras all around an object, that look at its middle."""

from typing import Annotated, Literal

import numpy as np
import torch
from pydantic import Field, model_validator

from isopts.config import StrictModel
from isopts.geometry.cameras import Cameras
from isopts.geometry.fibonacci_directions import fibonacci_directions
from isopts.geometry.sphere import Sphere

_FILLED_SHARE = 0.94  # of the image's half width or height, by the view that is filled most
_AXES = ("x", "y", "z")
Pixels = Annotated[int, Field(ge=16, le=16384)]


class CameraSphereConfig(StrictModel):
    """Where the cameras are. Distances count radii of the object's sphere, from its centre."""

    views: int = Field(49, ge=3, le=100_000, description="number of cameras, spread evenly over the sphere")
    size: tuple[Pixels, Pixels] = Field((640, 480), description="width and height of the images in pixels")
    distance: tuple[float, float] = Field((3.0, 3.6), description="least and largest distance; uniform between them")
    half_sphere: bool = Field(False, description="only cameras above the object's middle")
    up: Literal["x", "y", "z"] = Field("z", description="axis of the world that points upwards in the images")

    @model_validator(mode="after")
    def _outside_the_object(self) -> "CameraSphereConfig":
        nearest, farthest = self.distance
        if not 1 < nearest <= farthest < np.inf:
            raise ValueError(
                f"distance {nearest:g} {farthest:g}: expected the least and the largest one, both above 1, the radius "
                "of the object's sphere"
            )
        return self


def place_cameras(
    points: np.ndarray, sphere: Sphere, config: CameraSphereConfig, generator: np.random.Generator
) -> Cameras:
    """Cameras in the world, float64, of one focal length: the largest with which every image holds every point.

    Args:
        points: (N, 3) of the object, world; only the outermost ones matter.
        sphere: around them; the cameras look at its centre.
        generator: turns all cameras around the vertical, and chooses their distances.
    """
    directions = _directions(config, generator.uniform(0, 2 * np.pi))
    distances = generator.uniform(*config.distance, size=config.views)
    rotations = _looking_inwards(directions, np.eye(3)[_AXES.index(config.up)])
    half = np.array(config.size) / 2
    focal = _FILLED_SHARE / _largest_slope((points - sphere.center) / sphere.radius, rotations, distances, half)
    column, row = half - 0.5
    intrinsics = np.array([[focal, 0, column], [0, focal, row], [0, 0, 1]])
    translations = -rotations @ np.array(sphere.center)
    translations[:, 2] += distances * sphere.radius
    return Cameras(
        torch.from_numpy(intrinsics).repeat(config.views, 1, 1),
        torch.from_numpy(rotations),
        torch.from_numpy(translations),
        torch.tensor(config.size).repeat(config.views, 1),
    )


def _directions(config: CameraSphereConfig, turn: float) -> np.ndarray:
    """(V, 3) unit, from the centre to the cameras."""
    count = 2 * config.views if config.half_sphere else config.views
    x, y, height = fibonacci_directions(count)[: config.views].double().numpy().T
    turned = np.stack([np.cos(turn) * x - np.sin(turn) * y, np.sin(turn) * x + np.cos(turn) * y, height], axis=1)
    directions = np.roll(turned, _AXES.index(config.up) + 1, axis=1)  # the height to the axis that is up
    return directions / np.linalg.norm(directions, axis=1, keepdims=True)


def _looking_inwards(directions: np.ndarray, up: np.ndarray) -> np.ndarray:
    """(V, 3, 3) world to camera, the image's columns level; no direction is vertical."""
    right = np.cross(-directions, up)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    return np.stack([right, np.cross(-directions, right), -directions], axis=1)


def _largest_slope(points: np.ndarray, rotations: np.ndarray, distances: np.ndarray, half: np.ndarray) -> float:
    """Largest |x| / z or |y| / z of `points` in any camera, in shares of the image's `half` width and height."""
    largest = 0.0
    for rotation, distance in zip(rotations, distances, strict=True):
        local = points @ rotation.T
        slopes = np.abs(local[:, :2]) / (local[:, 2:] + distance) / half
        largest = max(largest, float(slopes.max()))
    return largest
