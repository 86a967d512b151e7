"""Shapes whose surface is known exactly: the zero set of a formula."""

from collections.abc import Callable

import numpy as np

SignedDistance = Callable[[np.ndarray], np.ndarray]
"""(N, 3) -> (N,), negative inside. Distances near the surface, a bound of them elsewhere."""

_DERIVATIVE_STEP = 1e-5  # central differences in float64: error 1e-10


def sphere(points: np.ndarray) -> np.ndarray:
    """Radius 0.75."""
    return np.linalg.norm(points, axis=1) - 0.75


def torus(points: np.ndarray) -> np.ndarray:
    """Around z: circle of radius 0.5, tube of radius 0.25."""
    ring = np.hypot(points[:, 0], points[:, 1]) - 0.5
    return np.hypot(ring, points[:, 2]) - 0.25


def flange(points: np.ndarray) -> np.ndarray:
    """A machined part: plate 1.5 x 1.0 x 0.3 with rounded edges, a boss joined by a fillet, a bore through both, and
    a mounting hole near each end. Its genus is 3; it has flat, cylindrical and doubly curved faces of radius 0.04 up.
    """
    x, y, z = points.T
    plate = _rounded_box(points - np.array([0, 0, -0.2]), np.array([0.75, 0.5, 0.15]), 0.06)
    boss = _intersection(np.hypot(x, y) - 0.36, z - 0.35, 0.05)  # its lower end is inside the plate
    boss = np.maximum(boss, -0.2 - z)
    bore = np.hypot(x, y) - 0.2
    holes = np.hypot(np.abs(x) - 0.56, y) - 0.09
    return _intersection(_intersection(_union(plate, boss, 0.08), -bore, 0.04), -holes, 0.04)


SHAPES: dict[str, SignedDistance] = {"flange": flange, "sphere": sphere, "torus": torus}
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


def _rounded_box(points: np.ndarray, half_sides: np.ndarray, radius: float) -> np.ndarray:
    outside = np.abs(points) - (half_sides - radius)
    return np.linalg.norm(np.maximum(outside, 0), axis=1) + np.minimum(outside.max(axis=1), 0) - radius


def _union(first: np.ndarray, second: np.ndarray, fillet: float) -> np.ndarray:
    """Union whose concave edge is filled with a quarter circle of radius `fillet` where the surfaces are orthogonal."""
    depth = np.hypot(np.maximum(fillet - first, 0), np.maximum(fillet - second, 0))
    return np.maximum(fillet, np.minimum(first, second)) - depth


def _intersection(first: np.ndarray, second: np.ndarray, radius: float) -> np.ndarray:
    """Intersection whose convex edge is rounded."""
    return -_union(-first, -second, radius)
