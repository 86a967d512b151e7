import math

import torch

from isopts.geometry.camera_side import camera_side
from isopts.geometry.orbit import Orbit

ALL = Orbit(3.0, math.radians(30), torch.eye(3), torch.eye(3), (20, 20)).cameras(12)


def test_cameras_around_have_no_side_but_part_of_them_has():
    assert camera_side(ALL, torch.eye(3)) is None
    side = camera_side(ALL.select([11, 0, 1]), torch.eye(3))
    assert side is not None
    level = torch.tensor([0.0, side[1], side[2]])
    torch.testing.assert_close(side, level, atol=1e-5, rtol=0)  # the first looks from z
    assert side[2] > 0.7
    assert side[1] > 0.4
    torch.testing.assert_close(side.norm(), torch.tensor(1.0))


def test_cameras_above_look_from_no_side():
    above = Orbit(3.0, math.radians(75), torch.eye(3), torch.eye(3), (20, 20)).cameras(12)
    assert camera_side(above.select([0, 1]), torch.eye(3)) is None
