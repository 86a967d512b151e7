import torch

from isopts.geometry.orbit import Orbit
from isopts.geometry.widened import widened

INTRINSICS = torch.tensor([[300.0, 0, 99.5], [0, 300.0, 49.5], [0, 0, 1]])
CAMERAS = Orbit(3.0, 0.3, torch.eye(3), INTRINSICS, (200, 100)).cameras(6)


def shares(cameras, points):
    pixels, _ = cameras.project(points)
    return ((pixels - torch.tensor([99.5, 49.5])).abs() / torch.tensor([100.0, 50.0])).max()


def test_what_is_cut_off_comes_into_the_image():
    points = torch.tensor([[0.0, 0.8, 0.0], [0.5, -0.2, 0.1]])
    assert shares(CAMERAS, points) > 1
    torch.testing.assert_close(shares(widened(CAMERAS, points), points), torch.tensor(0.92), atol=1e-4, rtol=0)


def test_what_is_inside_stays_as_large_as_it_is():
    points = torch.tensor([[0.0, 0.3, 0.0]])
    assert torch.equal(widened(CAMERAS, points).intrinsics, CAMERAS.intrinsics)
