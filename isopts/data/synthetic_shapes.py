"""Shapes whose surface is known exactly: the zero set of a formula."""

from collections.abc import Callable

import numpy as np

from isopts.data.shapes.machined import bracket, compressor, flange
from isopts.data.shapes.organic import angel
from isopts.data.shapes.skull import skull
from isopts.data.shapes.vessel import vase

SignedDistance = Callable[[np.ndarray], np.ndarray]
"""(N, 3) -> (N,), negative inside. Zero on the surface and the distance near it (of `angel` a bound, at least a third
of it; of `skull` up to a third more at seams and notches, less inside blends); elsewhere at most the distance, or a
little more deep inside fillets."""

_DERIVATIVE_STEP = 1e-5  # central differences in float64: error 1e-10


def sphere(points: np.ndarray) -> np.ndarray:
    """Radius 0.75."""
    return np.linalg.norm(points, axis=1) - 0.75


def torus(points: np.ndarray) -> np.ndarray:
    """Around z: circle of radius 0.5, tube of radius 0.25."""
    ring = np.hypot(points[:, 0], points[:, 1]) - 0.5
    return np.hypot(ring, points[:, 2]) - 0.25


SHAPES: dict[str, SignedDistance] = {
    "angel": angel,
    "bracket": bracket,
    "compressor": compressor,
    "flange": flange,
    "skull": skull,
    "sphere": sphere,
    "torus": torus,
    "vase": vase,
}
"""All within [-0.75, 0.75]^3, longest side 1.5."""


def unit_gradients(shape: SignedDistance, points: np.ndarray) -> np.ndarray:
    """(N, 3) outward unit normals of the level sets through `points` (N, 3)."""
    gradients = _gradients(shape, points)
    return gradients / np.linalg.norm(gradients, axis=1, keepdims=True)


def project_onto(shape: SignedDistance, points: np.ndarray, steps: int = 3) -> np.ndarray:
    """Newton steps from `points` (N, 3), which are close to the surface, onto it."""
    for _ in range(steps):
        gradients = _gradients(shape, points)
        squared = np.sum(gradients * gradients, axis=1)
        points = points - (shape(points) / squared)[:, None] * gradients
    return points


def _gradients(shape: SignedDistance, points: np.ndarray) -> np.ndarray:
    steps = _DERIVATIVE_STEP * np.eye(3)
    return np.stack([shape(points + step) - shape(points - step) for step in steps], axis=1) / (2 * _DERIVATIVE_STEP)
