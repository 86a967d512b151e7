"""Building blocks of shapes: (N, 3) points, or (N,) coordinates, to (N,) signed distances, negative inside."""

import numpy as np


def box(points: np.ndarray, center: tuple[float, float, float], half_sides: tuple[float, float, float]) -> np.ndarray:
    """With sharp edges."""
    return rounded_box(points - np.array(center), np.array(half_sides), 0.0)


def rounded_box(points: np.ndarray, half_sides: np.ndarray, radius: float) -> np.ndarray:
    """Around 0; `half_sides` include the rounding."""
    outside = np.abs(points) - (half_sides - radius)
    return np.linalg.norm(np.maximum(outside, 0), axis=1) + np.minimum(outside.max(axis=1), 0) - radius


def cylinder(radial: np.ndarray, axial: np.ndarray, radius: float, half_height: float) -> np.ndarray:
    """Solid cylinder with sharp rims. radial: distance from the axis. axial: coordinate along it, 0 at the middle."""
    outside = np.stack([radial - radius, np.abs(axial) - half_height], axis=1)
    return np.linalg.norm(np.maximum(outside, 0), axis=1) + np.minimum(outside.max(axis=1), 0)


def cone(points: np.ndarray, start: np.ndarray, end: np.ndarray, radii: tuple[float, float]) -> np.ndarray:
    """Balls along a segment whose radius changes linearly; a bound of the distance, exact for equal radii."""
    axis = end - start
    along = np.clip((points - start) @ axis / (axis @ axis), 0, 1)
    slope = (radii[1] - radii[0]) / np.linalg.norm(axis)
    radius = radii[0] + along * (radii[1] - radii[0])
    return (np.linalg.norm(points - start - along[:, None] * axis, axis=1) - radius) / np.hypot(1, slope)


def ellipsoid(points: np.ndarray, half_axes: np.ndarray) -> np.ndarray:
    """Around 0; right to first order near the surface, never deeper than the shortest half axis."""
    scaled = np.linalg.norm(points / half_axes, axis=1)
    gradient = np.linalg.norm(points / half_axes**2, axis=1)
    return np.maximum(scaled * (scaled - 1) / np.maximum(gradient, 1e-9), -half_axes.min())


def union(first: np.ndarray, second: np.ndarray, fillet: float) -> np.ndarray:
    """Union whose concave edge is filled with a quarter circle of radius `fillet` where the surfaces are orthogonal."""
    depth = np.hypot(np.maximum(fillet - first, 0), np.maximum(fillet - second, 0))
    return np.maximum(fillet, np.minimum(first, second)) - depth


def intersection(first: np.ndarray, second: np.ndarray, radius: float) -> np.ndarray:
    """Intersection whose convex edge is rounded."""
    return -union(-first, -second, radius)


def smooth_union(first: np.ndarray, second: np.ndarray, width: float) -> np.ndarray:
    """Union that blends where the two differ by less than `width`; |gradient| stays at most 1."""
    overlap = np.maximum(width - np.abs(first - second), 0) / width
    return np.minimum(first, second) - overlap * overlap * (width / 4)


def maximum(*distances: np.ndarray) -> np.ndarray:
    """Intersection with sharp edges."""
    return np.maximum.reduce(distances)


def minimum(*distances: np.ndarray) -> np.ndarray:
    """Union with sharp edges."""
    return np.minimum.reduce(distances)
