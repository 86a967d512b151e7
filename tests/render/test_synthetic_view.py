"""A ball, whose depth and shading are known in closed form."""

import math

import numpy as np
import pytest
import torch
import trimesh

from isopts.geometry.cameras import Camera, Cameras
from isopts.kernels.triangles import prepare_mesh
from isopts.render.lights import AMBIENT, Lights
from isopts.render.synthetic_view import VisibleSurface, render_view

SIZE, FOCAL, DISTANCE, ALBEDO = (160, 120), 150.0, 4.0, 0.8
LIGHT = torch.nn.functional.normalize(torch.tensor([[0.3, -0.5, -1.0]]), dim=1)


@pytest.fixture
def cameras() -> Cameras:
    """Along z, from the front."""
    intrinsics = np.array([[FOCAL, 0, 79.5], [0, FOCAL, 59.5], [0, 0, 1]])
    return Cameras.stack([Camera(intrinsics, np.eye(3), np.array([0, 0, DISTANCE]))], [SIZE])


def ball(flipped: bool = False) -> VisibleSurface:
    mesh = trimesh.creation.icosphere(subdivisions=6)
    faces = np.asarray(mesh.faces)[:, :: -1 if flipped else 1].copy()
    sign = -1 if flipped else 1
    return VisibleSurface(
        prepare_mesh(torch.from_numpy(np.asarray(mesh.vertices)), torch.from_numpy(faces)),
        sign * torch.from_numpy(np.array(mesh.face_normals)).float(),
        lambda hits: sign * torch.nn.functional.normalize(hits.points, dim=1),
        lambda hits: torch.full_like(hits.points, ALBEDO),
    )


def rays() -> np.ndarray:
    """(H, W, 3) unit directions from the camera."""
    row, column = np.mgrid[: SIZE[1], : SIZE[0]]
    local = np.stack([(column - 79.5) / FOCAL, (row - 59.5) / FOCAL, np.ones(row.shape)], axis=-1)
    return local / np.linalg.norm(local, axis=-1, keepdims=True)


@pytest.mark.parametrize("flipped", [False, True])
def test_depth_mask_and_shading_of_a_ball(cameras, flipped):
    lights = Lights("directional", LIGHT, torch.tensor([[0.7, 0.5, 0.3]]))
    view = render_view(ball(flipped), cameras, 0, lights)
    directions = rays()
    along = DISTANCE * directions[..., 2]
    discriminant = along**2 - DISTANCE**2 + 1
    distance = along - np.sqrt(np.maximum(discriminant, 0))
    inside, outside = discriminant > 0.03, discriminant < 0
    assert view.mask[inside].all()
    assert not view.mask[outside].any()
    assert (view.mask == (view.depth > 0)).all()
    np.testing.assert_allclose(view.depth[inside], (distance * directions[..., 2])[inside], atol=2e-3)
    normals = distance[..., None] * directions - [0, 0, DISTANCE]
    normals[..., 2] = distance * directions[..., 2] - DISTANCE
    cosine = np.maximum(normals @ LIGHT[0].numpy(), 0)[..., None]
    expected = 255 * ALBEDO * (AMBIENT + cosine * [0.7, 0.5, 0.3])
    np.testing.assert_allclose(view.image[inside], expected[inside], atol=2.5)
    assert view.image[view.mask].max() > 120
    assert view.image.dtype == np.uint8


def test_the_silhouette_is_the_mean_of_four_rays(cameras):
    """Brightness along the border takes the shares 0, 1/4 ... 1, and the sum is the area of the disc."""
    bright = Lights("directional", torch.tensor([[0.0, 0, -1]]), torch.zeros((1, 3)))
    surface = ball()
    white = VisibleSurface(
        surface.mesh, surface.face_normals, surface.normals, lambda hits: torch.full_like(hits.points, 2 / AMBIENT)
    )
    image = render_view(white, cameras, 0, bright).image[..., 0]
    assert set(np.unique(image)) == {0, 64, 128, 191, 255}
    radius = FOCAL * math.tan(math.asin(1 / DISTANCE))
    assert image.sum() / 255 == pytest.approx(math.pi * radius**2, rel=0.003)


def test_nothing_in_sight_is_black(cameras):
    behind = Cameras(cameras.intrinsics, cameras.rotations, -cameras.translations, cameras.sizes)
    view = render_view(ball(), behind, 0, Lights("directional", LIGHT, torch.ones((1, 3))))
    assert not view.mask.any()
    assert view.image.max() == 0
    assert view.depth.max() == 0
