import numpy as np
import pytest
import torch

from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.frames import WorldToUnit
from isopts.geometry.projection_matrix import decompose_projection


def rotation(seed: int) -> np.ndarray:
    turned, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return turned * np.sign(np.linalg.det(turned))


@pytest.fixture
def cameras() -> Cameras:
    """Three unequal cameras with skew, that look at the neighbourhood of (5, 6, 7) from a distance of 10."""
    made = []
    for seed in range(3):
        turned = rotation(seed)
        intrinsics = np.array([[500.0 + seed, 1.5, 320], [0, 480, 230 - seed], [0, 0, 1]])
        made.append(Camera(intrinsics, turned, np.array([0, 0, 10.0]) - turned @ [5, 6, 7]))
    return Cameras.stack(made, [(640, 480), (641, 470), (300, 200)])


@pytest.fixture
def points() -> torch.Tensor:
    return torch.tensor([5.0, 6, 7]) + torch.rand(50, 3, generator=torch.Generator().manual_seed(0)).double() - 0.5


def test_axes_are_right_down_forward():
    camera = Camera(np.array([[100.0, 0, 50], [0, 100, 40], [0, 0, 1]]), np.eye(3), np.zeros(3))
    points = torch.tensor([[0.0, 0, 2], [1, 0, 2], [0, 1, 2], [0, 0, -1]]).double()
    pixels, depths = Cameras.stack([camera], [(101, 81)]).project(points)
    assert pixels[0, :3].tolist() == [[50, 40], [100, 40], [50, 90]]
    assert depths[0].tolist() == [2, 2, 2, -1]


def test_rays_go_through_the_points_whose_pixels_they_start_from(cameras, points):
    pixels, depths = cameras.project(points)
    views = torch.arange(3).repeat_interleave(len(points))
    origins, directions = cameras.rays(views, pixels.reshape(-1, 2))
    torch.testing.assert_close(directions.norm(dim=1), torch.ones(150).double())
    along = depths.flatten() / (directions * cameras.viewing_directions()[views]).sum(dim=1)
    torch.testing.assert_close(origins + along[:, None] * directions, points.repeat(3, 1))


def test_centers_are_where_everything_projects_from(cameras):
    _, depths = cameras.project(cameras.centers())
    torch.testing.assert_close(depths.diagonal(), torch.zeros(3).double(), atol=1e-9, rtol=0)


def test_another_frame_changes_no_pixel(cameras, points):
    frame = WorldToUnit((5.5, 5.0, 7.0), 0.25)
    pixels, depths = cameras.project(points)
    moved = cameras.in_frame(frame)
    unit = (points - torch.tensor(frame.center)) * frame.scale
    again, moved_depths = moved.project(unit)
    torch.testing.assert_close(again, pixels)
    torch.testing.assert_close(moved_depths, depths * frame.scale)
    torch.testing.assert_close(moved.centers(), (cameras.centers() - torch.tensor(frame.center)) * frame.scale)


def test_resized_images_keep_their_borders(cameras, points):
    small = cameras.resized(cameras.sizes // 10)
    pixels, _ = cameras.project(points)
    again, _ = small.project(points)
    torch.testing.assert_close((again + 0.5) / small.sizes[:, None], (pixels + 0.5) / cameras.sizes[:, None])


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_decimated_image_shows_a_point_at_the_pixel_that_was_kept(cameras, step):
    """The pixels that are kept, back in the image that they were taken from."""
    column, row = np.meshgrid(np.arange(301)[step // 2 :: step], np.arange(200)[step // 2 :: step])
    small = cameras.decimated(step, column.shape[::-1])
    assert small.sizes.tolist() == [list(column.shape[::-1])] * 3
    assert small.intrinsics.dtype == cameras.intrinsics.dtype
    views = torch.full((column.size,), 1)
    kept = torch.from_numpy(np.stack([column, row], axis=-1).reshape(-1, 2)).double()
    places = torch.from_numpy(np.stack(np.meshgrid(*map(np.arange, column.shape[::-1])), axis=-1).reshape(-1, 2))
    _, expected = cameras.rays(views, kept)
    _, directions = small.rays(views, places.double())
    torch.testing.assert_close(directions, expected)


def test_halved_cameras_belong_to_means_of_two_by_two_pixels(cameras, points):
    odd = cameras.cropped(cameras.sizes // 2 * 2 - 1)
    small = odd.halved()
    assert torch.equal(small.sizes, odd.sizes // 2)
    torch.testing.assert_close(small.project(points)[0], (odd.project(points)[0] - 0.5) / 2)


def test_a_cropped_image_shows_points_where_they_were(cameras, points):
    cut = cameras.cropped(cameras.sizes - torch.tensor([7, 3]))
    torch.testing.assert_close(cut.project(points)[0], cameras.project(points)[0])
    assert cut.sizes.tolist() == [[633, 477], [634, 467], [293, 197]]


def test_backprojections_are_the_directions_of_depth_one(cameras, points):
    pixels, depths = cameras.project(points)
    homogeneous = torch.cat([pixels, torch.ones_like(pixels[..., :1])], dim=2)
    rays = torch.einsum("vij,vnj->vni", cameras.backprojections(), homogeneous)
    again = cameras.centers()[:, None] + depths[..., None] * rays
    torch.testing.assert_close(again, points.expand(3, -1, -1))


def test_a_selection_keeps_order(cameras, points):
    pixels, _ = cameras.select([2, 0]).project(points)
    torch.testing.assert_close(pixels, cameras.project(points)[0][[2, 0]])
    assert cameras.select([2, 0]).sizes.tolist() == [[300, 200], [640, 480]]
    assert cameras.to("cpu", torch.float32).rotations.dtype == torch.float32


@pytest.mark.parametrize("factor", [1.0, -3.0, 1e-6, 1e6])
def test_a_projection_matrix_is_taken_apart(cameras, factor):
    for view, matrix in enumerate(cameras.projections().numpy()):
        camera = decompose_projection(factor * matrix)
        np.testing.assert_allclose(camera.intrinsics, cameras.intrinsics[view], atol=1e-8)
        np.testing.assert_allclose(camera.rotation, cameras.rotations[view], atol=1e-12)
        np.testing.assert_allclose(camera.translation, cameras.translations[view], atol=1e-9)
        np.testing.assert_allclose(camera.center, cameras.centers()[view], atol=1e-9)


@pytest.mark.parametrize("matrix", [np.zeros((3, 4)), np.ones((3, 4)), np.full((3, 4), np.inf), np.eye(4)[1:]])
def test_what_is_no_camera_is_refused(matrix):
    with pytest.raises(ValueError, match="no projection"):
        decompose_projection(matrix)


def test_back_from_the_unit_frame_points_have_the_same_pixels_far_from_the_origin(cameras, points):
    frame = WorldToUnit((5e5, 4e6, -300.0), 0.02)
    unit = cameras.to("cpu", torch.float32)
    world = unit.out_of_frame(frame)
    assert world.translations.dtype == torch.float64
    pixels, depths = world.project(points / frame.scale + torch.tensor(frame.center).double())
    expected, unit_depths = unit.project(points.float())
    torch.testing.assert_close(pixels.float(), expected, atol=2e-3, rtol=0)
    torch.testing.assert_close((depths * frame.scale).float(), unit_depths, atol=1e-4, rtol=0)
