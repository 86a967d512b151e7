import numpy as np
import torch

from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.frustum import sees_sphere
from isopts.geometry.sphere import Sphere


def camera() -> Cameras:
    """At the origin, looking along z: at depth 10 its image spans x from -5 to 5 and y from -4 to 4."""
    intrinsics = np.array([[100.0, 0, 49.5], [0, 100, 39.5], [0, 0, 1]])
    return Cameras.stack([Camera(intrinsics, np.eye(3), np.zeros(3))], [(100, 80)])


def test_spheres_inside_across_and_outside_the_image():
    for axis, border in ((0, 5.0), (1, 4.0)):
        for sign in (-1, 1):
            slope = border / 10
            reach = np.hypot(1, slope)  # of a unit sphere across an oblique plane, along the axis
            for offset, expected in ((0.5, True), (border, True), (border + 0.98 * reach, True)):
                assert sees_sphere(camera(), at(axis, sign * offset)).tolist() == [expected]
            assert sees_sphere(camera(), at(axis, sign * (border + 1.02 * reach))).tolist() == [False]


def at(axis: int, offset: float) -> Sphere:
    center = [0.0, 0.0, 10.0]
    center[axis] = offset
    return Sphere(tuple(center), 1.0)


def test_behind_the_camera_nothing_is_seen():
    assert sees_sphere(camera(), Sphere((0.0, 0.0, -3.0), 1.0)).tolist() == [False]
    assert sees_sphere(camera(), Sphere((0.0, 0.0, 0.5), 1.0)).tolist() == [True]


def test_agrees_with_projected_points():
    """A camera that has no point of a sphere in its image misses it, but for spheres just outside a corner."""
    generator = torch.Generator().manual_seed(0)
    missed = 0
    for _ in range(200):
        center = 12 * torch.rand(3, generator=generator) - torch.tensor([6.0, 6, 2])
        around = torch.nn.functional.normalize(torch.randn(500, 3, generator=generator), dim=1)
        pixels, depths = camera().project((center + around).double())
        size = torch.tensor([100, 80])
        inside = (depths[0] > 0) & ((pixels[0] > -0.5) & (pixels[0] < size - 0.5)).all(dim=1)
        seen = bool(sees_sphere(camera(), Sphere(tuple(center.tolist()), 1.0)))
        assert seen or not inside.any()
        missed += not seen
    assert 40 < missed < 160
