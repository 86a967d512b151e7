"""The region of sparse points: outliers and surroundings do not widen it."""

import numpy as np
import pytest

from isopts.errors import InputError
from isopts.geometry.camera_sphere import CameraSphereConfig, place_cameras
from isopts.geometry.points_region import points_region
from isopts.geometry.sphere import Sphere

CENTER, RADIUS = np.array([310.0, -220.0, 540.0]), 40.0


def directions(rng, count):
    found = rng.normal(size=(count, 3))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def cameras(rng):
    sphere = Sphere(tuple(CENTER), RADIUS)
    return place_cameras(CENTER + RADIUS * directions(rng, 500), sphere, CameraSphereConfig(views=30), rng)


def assert_around_the_ball(sphere):
    assert np.linalg.norm(np.array(sphere.center) - CENTER) < 0.1 * RADIUS
    assert RADIUS < sphere.radius < 1.35 * RADIUS


def test_points_on_a_ball(rng, cameras):
    assert_around_the_ball(points_region(CENTER + RADIUS * directions(rng, 1000), cameras))


def test_a_tenth_of_outliers(rng, cameras):
    outliers = CENTER + 3 * RADIUS * rng.uniform(-1, 1, size=(110, 3))
    assert_around_the_ball(points_region(np.concatenate([CENTER + RADIUS * directions(rng, 1000), outliers]), cameras))


def test_surroundings_in_greater_number_that_few_images_show(rng, cameras):
    around = CENTER + RADIUS * rng.uniform(8, 30, size=(3000, 1)) * directions(rng, 3000)
    assert_around_the_ball(points_region(np.concatenate([CENTER + RADIUS * directions(rng, 1000), around]), cameras))


def test_a_long_object_is_whole(rng, cameras):
    rod = CENTER + np.array([1.0, 0.05, 0.05]) * RADIUS * rng.uniform(-1, 1, size=(500, 3))
    sphere = points_region(rod, cameras)
    assert np.linalg.norm(rod - np.array(sphere.center), axis=1).max() < sphere.radius


def test_points_that_are_elsewhere(rng, cameras):
    with pytest.raises(InputError, match=r"Only \d+ of the points are in the images"):
        points_region(CENTER + np.array([0, 0, 1e5]) + directions(rng, 100) * 1e-3, cameras)
    with pytest.raises(InputError, match="all in one place"):
        points_region(np.repeat(CENTER[None], 100, axis=0), cameras)
