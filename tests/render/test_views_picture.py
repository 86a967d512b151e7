import numpy as np
import pytest
import torch
import trimesh

from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.render.views_picture import EXTRA, MISSING, ComparedView, render_views


@pytest.fixture
def cameras() -> Cameras:
    """Four around the y axis; up in the world is -y, as their own up is."""
    intrinsics = np.array([[60.0, 0, 31.5], [0, 60, 23.5], [0, 0, 1]])
    made = []
    for angle in (0, 90, 180, 270):
        forward = np.array([np.cos(np.radians(angle)), 0, np.sin(np.radians(angle))])
        rotation = np.stack([np.cross([0, 1.0, 0], forward), [0, 1.0, 0], forward])
        made.append(Camera(intrinsics, rotation, np.array([0, 0, 4.0])))
    return Cameras.stack(made, [(64, 48)] * 4)


def cone() -> TriangleMesh:
    """Its tip towards -y."""
    mesh = trimesh.creation.cone(radius=0.6, height=1.2, sections=48)
    x, y, z = np.asarray(mesh.vertices).T
    return TriangleMesh(np.stack([x, 0.5 - z, y], axis=1), np.asarray(mesh.faces))


def background(picture: np.ndarray) -> np.ndarray:
    return (np.abs(picture.astype(int) - picture[0, 0]) <= 1).all(axis=-1)


def test_the_hull_stands_upright_beside_the_cameras(cameras):
    images = [np.full((48, 64, 3), 128, np.uint8)] * 4
    picture = render_views(cone(), cameras, images, [], height=120)
    assert picture.shape == (120, 240, 3)
    rig, hull = ~background(picture[:, :120]), ~background(picture[:, 120:])
    widths = hull.sum(axis=1)
    used = np.flatnonzero(widths)
    assert widths[used[5]] < 0.5 * widths[used[-15]]  # the tip is above
    assert 0.02 < rig.mean() < 0.5
    torch.testing.assert_close(cameras.rotations.det(), torch.ones(4).double())


def test_disagreement_is_red_and_blue(cameras):
    image = np.full((40, 60, 3), 100, np.uint8)
    mask, hull = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    mask[10:30, 10:30] = hull[10:30, 20:40] = True
    views = [ComparedView(image, mask, hull), ComparedView(image[:20], mask[:20], mask[:20])]
    picture = render_views(cone(), cameras, [image] * 4, views, height=60)
    tile = picture[60:, :60]
    assert picture.shape == (100, 120, 3)
    assert tile[20, 15].tolist() == list(MISSING)
    assert tile[20, 35].tolist() == list(EXTRA)
    assert tile[20, 25].tolist() == [100, 100, 100]
    assert tile[5, 5].max() < 50
    assert (picture[85:, 60:] == 0).all()
