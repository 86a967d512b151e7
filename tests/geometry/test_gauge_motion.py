"""A motion of the whole world, put into the corrections of all cameras, is taken out again."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from isopts.geometry.camera_corrections import CameraCorrections
from isopts.geometry.camera_sphere import CameraSphereConfig, place_cameras
from isopts.geometry.cameras import Cameras
from isopts.geometry.gauge_motion import without_gauge_motion
from isopts.geometry.sphere import Sphere

VIEWS = 9
STIFFNESS = torch.tensor([1 / 0.005**2] * 3 + [1 / 0.015**2] * 3 + [1 / 0.002**2], dtype=torch.float64).repeat(VIEWS, 1)


def ring() -> Cameras:
    corners = np.array([[-1.0, -1, -1], [1, 1, 1]])
    config = CameraSphereConfig(size=(320, 240), views=VIEWS)
    return place_cameras(corners, Sphere((0.0, 0.0, 0.0), 1.0), config, np.random.default_rng(0))


def in_moved_world(cameras: Cameras, vector: torch.Tensor, move: torch.Tensor, scale: float) -> Cameras:
    """That see the same of points s M x + m as `cameras` of points x, up to the scale of depths."""
    matrix = torch.from_numpy(Rotation.from_rotvec(vector.numpy()).as_matrix())
    rotations = cameras.rotations @ matrix.T
    return Cameras(
        cameras.intrinsics,
        rotations,
        scale * cameras.translations - torch.einsum("vij,j->vi", rotations, move),
        cameras.sizes,
    )


def test_a_common_motion_vanishes():
    cameras = ring()
    vector, move = torch.tensor([[0.01, -0.02, 0.015], [0.03, 0.01, -0.02]], dtype=torch.float64)
    common = CameraCorrections.between(cameras, in_moved_world(cameras, vector, move, 1.02))
    assert common.vectors()[:, :6].abs().max() > 0.01
    assert without_gauge_motion(cameras, common, STIFFNESS).vectors().abs().max() < 1e-6


def test_images_stay_the_same_and_corrections_do_not_grow():
    cameras = ring()
    generator = torch.Generator().manual_seed(0)
    made = CameraCorrections.from_vectors(
        torch.randn(VIEWS, 7, generator=generator, dtype=torch.float64) / STIFFNESS.sqrt()
    )
    less = without_gauge_motion(cameras, made, STIFFNESS)
    torch.testing.assert_close(less.log_focals, made.log_focals, atol=1e-15, rtol=0)
    sizes = [(STIFFNESS * some.vectors() ** 2).sum() for some in (made, less)]
    assert 0.5 * sizes[0] < sizes[1] < 0.99 * sizes[0]
    points = 0.5 * torch.randn(60, 3, generator=generator, dtype=torch.float64)
    before, after = made.applied(cameras), less.applied(cameras)
    seen = before.project(points)[0]
    # points that the other cameras see there: triangulated from two views, all others must agree
    moved = _triangulated(after, seen)
    torch.testing.assert_close(after.project(moved)[0], seen, atol=1e-6, rtol=0)
    assert (moved - points).norm(dim=1).max() > 1e-3  # the motion is in the points now


def _triangulated(cameras: Cameras, pixels: torch.Tensor) -> torch.Tensor:
    """(N, 3) nearest to all rays through `pixels` (V, N, 2)."""
    views = torch.arange(VIEWS).repeat_interleave(pixels.shape[1])
    origins, directions = cameras.rays(views, pixels.reshape(-1, 2))
    across = (torch.eye(3, dtype=torch.float64) - directions[:, :, None] * directions[:, None]).view(VIEWS, -1, 3, 3)
    right = (across @ origins.view(VIEWS, -1, 3, 1)).sum(dim=0)
    return torch.linalg.solve(across.sum(dim=0), right)[..., 0]
