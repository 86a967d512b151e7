import numpy as np
import pytest
import torch

from isopts.config import config_from_dict
from isopts.errors import ConfigError
from isopts.geometry.camera_sphere import CameraSphereConfig, place_cameras
from isopts.geometry.sphere import Sphere

OFFSET = np.array([4.5e5, 5.4e6, 310.0])


@pytest.fixture
def points() -> np.ndarray:
    """A flat box of 4 x 2 x 1 far from the origin."""
    return np.random.default_rng(3).uniform(-1, 1, size=(500, 3)) * [2, 1, 0.5] + OFFSET


def place(points, seed=0, **settings):
    config = CameraSphereConfig(**settings)
    return place_cameras(points, Sphere.around(points), config, np.random.default_rng(seed))


def test_cameras_look_at_the_middle_from_the_asked_distance(points):
    sphere, cameras = Sphere.around(points), place(points, views=20, distance=(2.0, 4.0), size=(200, 100))
    center = torch.tensor([sphere.center], dtype=torch.float64)
    pixels, depths = cameras.project(center)
    torch.testing.assert_close(pixels[:, 0], torch.tensor([[99.5, 49.5]]).double().expand(20, 2), atol=1e-4, rtol=0)
    distances = (cameras.centers() - center).norm(dim=1) / sphere.radius
    torch.testing.assert_close(depths[:, 0] / sphere.radius, distances, atol=1e-7, rtol=0)
    assert 2 <= distances.min() < 2.5
    assert 3.5 < distances.max() <= 4
    assert torch.linalg.det(cameras.rotations).numpy() == pytest.approx(1)


def test_every_point_is_in_every_image_and_one_is_near_its_border(points):
    cameras = place(points, size=(300, 200))
    pixels, depths = cameras.project(torch.from_numpy(points))
    shares = (pixels - torch.tensor([149.5, 99.5])).abs() / torch.tensor([150, 100])
    assert depths.min() > 0
    assert float(shares.max()) == pytest.approx(0.94)


@pytest.mark.parametrize(("up", "axis"), [("x", 0), ("y", 1), ("z", 2)])
def test_up_is_up_and_a_half_sphere_is_above(points, up, axis):
    sphere, cameras = Sphere.around(points), place(points, views=30, up=up, half_sphere=True)
    heights = (cameras.centers()[:, axis] - sphere.center[axis]) / sphere.radius
    assert heights.min() > 0
    assert heights.max() > 2.5
    above = torch.tensor([sphere.center], dtype=torch.float64)
    above[0, axis] += 0.1 * sphere.radius
    pixels, _ = cameras.project(above)
    assert (pixels[:, 0, 1] < 239.5).all()
    assert pixels[:, 0, 0].numpy() == pytest.approx(319.5, abs=1e-4)


def test_cameras_are_spread_evenly(points):
    directions = -place(points, views=100).viewing_directions()
    assert directions.mean(dim=0).norm() < 0.02
    cosines = directions @ directions.T - 2 * torch.eye(100)
    nearest = torch.rad2deg(torch.acos(cosines.amax(dim=1)))
    assert nearest.min() > 15
    assert nearest.max() < 25


def test_the_seed_decides(points):
    first, same, other = place(points), place(points), place(points, seed=1)
    assert torch.equal(first.projections(), same.projections())
    assert (first.rotations - other.rotations).abs().max() > 0.1


@pytest.mark.parametrize("distance", [[3.6, 3.0], [1.0, 2.0], [2.0, float("inf")]])
def test_distances_that_make_no_sense(distance):
    with pytest.raises(ConfigError, match=r"The command line: distance .*: expected the least and the largest one"):
        config_from_dict(CameraSphereConfig, {"distance": distance}, "The command line")
