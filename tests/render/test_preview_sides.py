import math

import pytest
import torch

from isopts.geometry.orbit import Orbit
from isopts.render.preview_sides import camera_sides, opposite_sides

UPRIGHT = torch.tensor([[0.0, 0.0, -1.0], [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]])  # -y is up, as in DTU's scans


def around(elevation: float):
    return Orbit(3.0, math.radians(elevation), UPRIGHT, torch.eye(3), (20, 20)).cameras(12)


def angle(first: torch.Tensor, second: torch.Tensor) -> float:
    return math.degrees(math.atan2(torch.linalg.cross(first, second).norm(), first @ second))


def test_cameras_on_one_side_see_35_degrees_to_both_sides_of_their_middle():
    cameras = around(0).select([11, 0, 1])
    sides, middle = camera_sides(cameras), torch.tensor([-1.0, 0.0, 0.0])
    torch.testing.assert_close(sides.up, torch.tensor([0.0, -1.0, 0.0]), atol=1e-6, rtol=0)
    assert angle(sides.first, middle) == pytest.approx(35, abs=0.01)
    assert angle(sides.second, middle) == pytest.approx(35, abs=0.01)
    assert angle(sides.first, sides.second) == pytest.approx(70, abs=0.01)
    right = torch.linalg.cross(sides.up, middle)
    assert sides.first @ right > 0.5


def test_the_height_of_the_cameras_is_kept():
    cameras = around(40).select([0, 1, 2])
    sides = camera_sides(cameras)
    middle = torch.nn.functional.normalize(torch.nn.functional.normalize(cameras.centers(), dim=1).mean(dim=0), dim=0)
    for side in sides[1:]:
        assert side @ sides.up == pytest.approx(float(middle @ sides.up), abs=1e-5)


def test_cameras_all_around_see_two_opposite_sides_from_above():
    sides = camera_sides(around(20))
    torch.testing.assert_close(sides.up, torch.tensor([0.0, -1.0, 0.0]), atol=1e-6, rtol=0)
    flat = [side - (side @ sides.up) * sides.up for side in sides[1:]]
    torch.testing.assert_close(flat[0], -flat[1], atol=1e-5, rtol=0)
    assert sides.first @ sides.up == pytest.approx(0.45, abs=1e-5)


def test_without_cameras_y_is_up():
    assert [part.tolist() for part in opposite_sides()] == [
        [0, 1, 0],
        pytest.approx([0.65, 0.45, 1.0]),
        pytest.approx([-0.65, 0.45, -1.0]),
    ]
