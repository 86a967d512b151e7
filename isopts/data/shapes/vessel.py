"""A thin-walled vessel: the offset of a profile of circular arcs, which makes its distance exact."""

from typing import NamedTuple

import numpy as np

_HALF_THICKNESS = 0.02
_LOWEST, _HIGHEST = -0.73, 0.73  # of the profile; the wall ends 0.02 beyond
_BOTTOM = 0.24  # radius of the flat bottom, before the profile is scaled to its height
_ARCS = ((0.1, 48.0), (0.62, 74.0), (-0.36, 76.77))
"""(radius, turned degrees) from the bottom on: rounded foot, belly, flared neck; a negative radius turns right."""


class _Arc(NamedTuple):
    center: np.ndarray
    radius: float
    middle: float  # direction from the centre to the middle of the arc
    half_angle: float


def vase(points: np.ndarray) -> np.ndarray:
    """Vessel with a wall 0.04 thick, a narrow neck and a flared, rounded rim around z. Its inside is as much surface as
    its outside. Genus 0.
    """
    around, height = np.hypot(points[:, 0], points[:, 1]), points[:, 2]
    arcs, bottom, rim = _profile()
    distances = np.hypot(np.maximum(around - bottom, 0), height - _LOWEST)
    distances = np.minimum(distances, np.hypot(around - rim[0], height - rim[1]))
    for arc in arcs:
        across, up = around - arc.center[0], height - arc.center[1]
        direction = np.arctan2(up, across) - arc.middle
        beside = np.abs(np.arctan2(np.sin(direction), np.cos(direction))) <= arc.half_angle
        distances = np.minimum(distances, np.where(beside, np.abs(np.hypot(across, up) - arc.radius), np.inf))
    return distances - _HALF_THICKNESS


def _profile() -> tuple[list[_Arc], float, np.ndarray]:
    """The arcs, each continuing the direction of the one before; the radius of the bottom; the rim (2,)."""
    position, heading, arcs = np.array([_BOTTOM, 0.0]), 0.0, []
    for radius, degrees in _ARCS:
        side = np.sign(radius)
        turn = side * np.deg2rad(degrees)
        center = position + radius * np.array([-np.sin(heading), np.cos(heading)])
        start = heading - side * np.pi / 2  # direction from the centre
        position = center + abs(radius) * np.array([np.cos(start + turn), np.sin(start + turn)])
        arcs.append(_Arc(center, abs(radius), start + turn / 2, abs(turn) / 2))
        heading += turn
    scale, shift = (_HIGHEST - _LOWEST) / position[1], np.array([0, _LOWEST])
    arcs = [arc._replace(center=scale * arc.center + shift, radius=scale * arc.radius) for arc in arcs]
    return arcs, scale * _BOTTOM, scale * position + shift
