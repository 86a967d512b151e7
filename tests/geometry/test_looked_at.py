import numpy as np
import pytest

from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.looked_at import looked_at


def camera(center: np.ndarray, target: np.ndarray, focal: float = 100.0) -> Camera:
    """At `center`, looking at `target`."""
    forward = (target - center) / np.linalg.norm(target - center)
    right = np.cross(forward, [0.3, 0.2, 0.9])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    return Camera(np.array([[focal, 0, 50], [0, focal, 40], [0, 0, 1]]), rotation, -rotation @ center)


def around(target: np.ndarray, centers: np.ndarray, size: tuple[int, int]) -> Cameras:
    return Cameras.stack([camera(center, target) for center in centers], [size] * len(centers))


def test_axes_that_meet():
    """A square image of 2 * 75 pixels at focal length 100 and distance 10 holds a sphere of radius 10 * 3 / 5."""
    target = np.array([5.0, -2, 7])
    directions = np.random.default_rng(0).normal(size=(9, 3))
    centers = target + 10 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    found = looked_at(around(target, centers, (150, 150)))
    assert found.center == pytest.approx(tuple(target))
    assert found.radius == pytest.approx(6)
    assert looked_at(around(target, centers, (300, 75))).radius == pytest.approx(6)


def test_most_axes_decide_where_some_miss():
    rng = np.random.default_rng(1)
    centers = rng.normal(size=(30, 3))
    centers *= 5 / np.linalg.norm(centers, axis=1, keepdims=True)
    cameras = Cameras.stack([camera(c, 0.2 * rng.normal(size=3)) for c in centers], [(100, 80)] * 30)
    assert np.linalg.norm(looked_at(cameras).center) < 0.2


def test_no_common_place():
    rows = [np.array([column, 0.0, 0]) for column in range(4)]
    aside = np.array([0, 1.0, 0])
    parallel = Cameras.stack([camera(row, row + aside) for row in rows], [(100, 80)] * 4)
    assert looked_at(parallel) is None
    outwards = Cameras.stack([camera(row + aside, 2 * (row + aside)) for row in rows], [(100, 80)] * 4)
    assert looked_at(outwards) is None
