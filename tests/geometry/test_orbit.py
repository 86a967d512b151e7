"""Cameras on a circle: where they are, what they look at, and what is up."""

import math

import pytest
import torch

from isopts.geometry.orbit import Orbit

UPRIGHT = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])  # z is up, the circle begins at x
INTRINSICS = torch.tensor([[300.0, 0, 99.5], [0, 310.0, 49.5], [0, 0, 1]])
ORBIT = Orbit(3.0, math.radians(30), UPRIGHT, INTRINSICS, (200, 100))


def test_cameras_look_at_the_origin_and_stand_upright():
    cameras = ORBIT.cameras(8)
    pixels, depths = cameras.project(torch.tensor([[0.0, 0, 0], [0, 0, 0.1]]))
    torch.testing.assert_close(pixels[:, 0], torch.tensor([[99.5, 49.5]]).expand(8, 2), atol=1e-4, rtol=0)
    torch.testing.assert_close(depths[:, 0], torch.full((8,), 3.0), atol=1e-5, rtol=0)
    torch.testing.assert_close(pixels[:, 1, 0], torch.full((8,), 99.5), atol=1e-4, rtol=0)
    assert (pixels[:, 1, 1] < 49.5 - 5).all()  # what is above is above
    torch.testing.assert_close(torch.linalg.det(cameras.rotations), torch.ones(8))


def test_cameras_are_evenly_around_at_their_elevation():
    centers = ORBIT.cameras(8).centers()
    torch.testing.assert_close(centers[:, 2], torch.full((8,), 1.5), atol=1e-5, rtol=0)
    angles = torch.rad2deg(torch.atan2(centers[:, 1], centers[:, 0])).remainder(360)
    torch.testing.assert_close(angles, 45.0 * torch.arange(8), atol=1e-3, rtol=0)


def test_an_orbit_like_its_own_cameras_is_the_same():
    cameras = ORBIT.cameras(12)
    again = Orbit.like(cameras)
    assert (again.distance, again.elevation) == pytest.approx((3.0, math.radians(30)), rel=1e-5)
    assert again.size == (200, 100)
    torch.testing.assert_close(again.cameras(12).projections(), cameras.projections(), atol=1e-2, rtol=1e-4)


def test_images_of_another_shape_keep_what_was_in_them():
    resized = ORBIT.resized((50, 80))
    corner = torch.tensor([[0.3, 0.2, 0.25], [-0.4, -0.3, -0.2]])
    before, _ = ORBIT.cameras(5).project(corner)
    after, _ = resized.cameras(5).project(corner)
    middle = torch.tensor([24.5, 39.5])
    torch.testing.assert_close(after - middle, 0.25 * (before - torch.tensor([99.5, 49.5])), atol=1e-4, rtol=0)


def test_an_orbit_does_not_end_in_a_point_above():
    steep = Orbit(3.0, math.radians(90), UPRIGHT, INTRINSICS, (200, 100)).cameras(4)
    assert torch.rad2deg(torch.asin(steep.centers()[:, 2] / 3)).numpy() == pytest.approx(80, abs=0.01)
