import numpy as np
import pytest
import trimesh

from isopts.evaluate.mask_culling import CullingConfig, cull_by_masks
from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.triangle_mesh import TriangleMesh

DISTANCE, FOCAL, WIDTH, HEIGHT = 5.0, 100.0, 100, 80
TIGHT = CullingConfig(dilation_pixels=0)


def camera(rotation: np.ndarray) -> Camera:
    intrinsics = np.array([[FOCAL, 0, (WIDTH - 1) / 2], [0, FOCAL, (HEIGHT - 1) / 2], [0, 0, 1]])
    return Camera(intrinsics, rotation, np.array([0, 0, DISTANCE]))


@pytest.fixture
def cameras() -> Cameras:
    """Along z, along -z and along x; all see the origin at 20 pixels a unit."""
    along_x = np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]])
    return Cameras.stack([camera(np.eye(3)), camera(np.diag([-1.0, 1, -1])), camera(along_x)], [(WIDTH, HEIGHT)] * 3)


def disc(radius_pixels: float) -> np.ndarray:
    row, column = np.mgrid[:HEIGHT, :WIDTH]
    return np.hypot(row - (HEIGHT - 1) / 2, column - (WIDTH - 1) / 2) < radius_pixels


def ball(radius: float, center=(0.0, 0, 0)) -> TriangleMesh:
    sphere = trimesh.creation.icosphere(subdivisions=2, radius=radius)
    return TriangleMesh(np.asarray(sphere.vertices) + center, np.asarray(sphere.faces))


def together(*meshes: TriangleMesh) -> TriangleMesh:
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = [mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]
    return TriangleMesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces))


def points(*positions) -> TriangleMesh:
    return TriangleMesh(np.array(positions), np.zeros((0, 3)))


def kept(mesh: TriangleMesh, cameras: Cameras, masks, config: CullingConfig) -> list[list[float]]:
    return cull_by_masks(mesh, cameras, masks, config).vertices.tolist()


def test_the_object_stays_and_what_floats_beside_it_goes(cameras):
    floating = ball(0.1, (0, 1.5, 0))
    culled = cull_by_masks(together(ball(0.9), floating), cameras, [disc(20)] * 3, TIGHT)
    np.testing.assert_array_equal(culled.vertices, ball(0.9).vertices)
    np.testing.assert_array_equal(culled.faces, ball(0.9).faces)


def test_a_face_goes_only_with_all_its_corners(cameras):
    strip = TriangleMesh(
        [[0, 0, 0], [0, 0.5, 0], [0, 0.9, 0], [0, 1.2, 0], [0.1, 1.4, 0], [0.0, 1.6, 0]],
        [[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]],
    )
    culled = cull_by_masks(strip, cameras, [disc(20)] * 3, TIGHT)
    assert culled.faces.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert culled.vertices.tolist() == strip.vertices[:5].tolist()


def test_masks_are_widened_by_pixels(cameras):
    mesh = points([0, 0, 0], [0, 1.2, 0])  # 24 pixels from the middle
    for pixels, count in [(0, 1), (3, 1), (5, 2)]:
        assert len(kept(mesh, cameras, [disc(20)] * 3, CullingConfig(dilation_pixels=pixels))) == count
    near, beyond = [0, 1.1, 0], [0, 1.2, 0]  # 22 and 24; a 32nd of the width is 3.1
    assert kept(points(near, beyond), cameras, [disc(20)] * 3, CullingConfig()) == [near]


def test_some_views_may_be_wrong(cameras):
    masks = [disc(20), disc(20), np.zeros_like(disc(20))]
    mesh = points([0, 0, 0], [0, 1.5, 0])
    assert kept(mesh, cameras, masks, TIGHT) == []
    tolerant = CullingConfig(dilation_pixels=0, views_tolerated=1)
    assert kept(mesh, cameras, masks, tolerant) == [[0, 0, 0]]


def test_views_that_do_not_have_it_in_their_image_say_nothing(cameras):
    beside, above, behind, seen_by_two = [3.0, 0, 0], [0, -3.0, 0], [1.2, 0, -9.0], [0, 0, 2.2]
    front = cameras.select([0])
    assert kept(points(beside, above, behind), front, [disc(20)], TIGHT) == [beside, above, behind]
    assert kept(points(seen_by_two), cameras.select([0, 1]), [disc(20)] * 2, TIGHT) == [seen_by_two]
    assert kept(points(seen_by_two), cameras, [disc(20)] * 3, TIGHT) == []
    edge = [0, (HEIGHT / 2 - 0.2) / 20, 0]  # in the last row
    assert kept(points(edge), front, [disc(20)], TIGHT) == []
    assert kept(points(edge), front, [np.ones_like(disc(1))], TIGHT) == [edge]
