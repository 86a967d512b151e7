import math

import torch

from isopts.geometry.orbit import Orbit
from isopts.geometry.upright_rotation import upright_rotation

INTRINSICS = torch.eye(3)


def test_the_mean_up_of_the_cameras_becomes_y():
    up = torch.nn.functional.normalize(torch.tensor([1.0, 2.0, -3.0]), dim=0)
    x = torch.nn.functional.normalize(torch.linalg.cross(up, torch.tensor([1.0, 0, 0])), dim=0)
    upright = torch.stack([x, up, torch.linalg.cross(x, up)])
    rotation = upright_rotation(Orbit(3.0, math.radians(40), upright, INTRINSICS, (20, 20)).cameras(7))
    torch.testing.assert_close(rotation[1], up, atol=1e-5, rtol=0)
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(3), atol=1e-5, rtol=0)
    assert torch.linalg.det(rotation) > 0


def test_cameras_without_a_common_up_stay_as_they_are():
    cameras = Orbit(3.0, 0.0, torch.eye(3), INTRINSICS, (20, 20)).cameras(4)
    upside_down = cameras.rotations.clone()
    upside_down[::2, :2] *= -1
    assert torch.equal(upright_rotation(type(cameras)(cameras.intrinsics, upside_down, *_rest(cameras))), torch.eye(3))


def _rest(cameras):
    return cameras.translations, cameras.sizes
