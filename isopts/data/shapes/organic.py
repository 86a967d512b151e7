"""A figure with soft joints and fine relief."""

import numpy as np

from isopts.data.shapes.solids import cone, ellipsoid, intersection, smooth_union

_LIMBS = (  # start, end, radii
    ((0, 0, -0.80), (0, 0, -0.10), (0.32, 0.15)),  # robe
    ((0, 0, -0.10), (0, 0.02, 0.16), (0.15, 0.17)),  # chest
    ((-0.17, 0.02, 0.16), (-0.30, 0.14, -0.04), (0.07, 0.055)),  # upper arms
    ((0.17, 0.02, 0.16), (0.30, 0.14, -0.04), (0.07, 0.055)),
    ((-0.30, 0.14, -0.04), (-0.06, 0.30, 0.02), (0.055, 0.045)),  # forearms, hands joined
    ((0.30, 0.14, -0.04), (0.06, 0.30, 0.02), (0.055, 0.045)),
    ((0, 0.02, 0.22), (0, 0.03, 0.38), (0.07, 0.065)),  # neck
)
_HEM = -0.74  # height at which the robe ends
_WING_CENTER = np.array([0.40, -0.16, 0.16])
_WING_HALF_AXES = np.array([0.42, 0.20])
_WING_HALF_THICKNESS = 0.035
_WING_LIFT, _WING_SWEEP = np.deg2rad(38), np.deg2rad(22)
_JOINT = 0.08  # width of the blends
_RELIEF = ((0.009, 11.0), (0.004, 26.0), (0.0025, 57.0))
"""(amplitude, radians per unit): wavelengths 0.57, 0.24 and 0.11."""
_STEEPNESS = 1.7  # bound of |gradient| before scaling: the relief's adds up to the blends' 1
_CENTER, _SCALE = np.array([0.00797, 0.00593, -0.04845]), 1.03075  # bring it to the middle, its longest side to 1.5


def angel(points: np.ndarray) -> np.ndarray:
    """Figure with robe, head, arms joined in front of it, and two wings about 0.07 thick, all blended and covered with
    relief of three wavelengths. Genus 1, within the ring of the arms.
    """
    points = points / _SCALE + _CENTER
    body = cone(points, *map(np.array, _LIMBS[0][:2]), _LIMBS[0][2])
    for start, end, radii in _LIMBS[1:]:
        body = smooth_union(body, cone(points, np.array(start), np.array(end), radii), _JOINT)
    head = ellipsoid(points - np.array([0, 0.04, 0.50]), np.array([0.13, 0.15, 0.17]))
    body = smooth_union(body, head, _JOINT)
    for side in (-1, 1):
        body = smooth_union(body, _wing(points * np.array([side, 1, 1])), _JOINT)
    body = intersection(body, _HEM - points[:, 2], 0.04)
    relief = sum(amplitude * _waves(frequency * points) for amplitude, frequency in _RELIEF)
    return _SCALE * (body + relief) / _STEEPNESS


def _wing(points: np.ndarray) -> np.ndarray:
    lift, sweep = (np.array([np.cos(angle), np.sin(angle)]) for angle in (_WING_LIFT, _WING_SWEEP))
    x, y, z = (points - _WING_CENTER).T
    x, z = lift[0] * x + lift[1] * z, lift[0] * z - lift[1] * x
    x, y = sweep[0] * x - sweep[1] * y, sweep[0] * y + sweep[1] * x
    outline = ellipsoid(np.stack([x, z], axis=1), _WING_HALF_AXES)
    return intersection(outline, np.abs(y) - _WING_HALF_THICKNESS, 0.03)


def _waves(points: np.ndarray) -> np.ndarray:
    """The gyroid's function, a relief without preferred direction."""
    x, y, z = points.T
    return np.sin(x) * np.cos(y) + np.sin(y) * np.cos(z) + np.sin(z) * np.cos(x)
