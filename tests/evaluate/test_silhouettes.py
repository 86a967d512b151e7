import math

import numpy as np
import pytest
import torch
import trimesh

from isopts.evaluate.silhouettes import silhouette_agreement, surface_hits
from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.triangle_mesh import TriangleMesh

DISTANCE, FOCAL, SIZE = 5.0, 300.0, (200, 160)


def ball(radius: float = 1.0, offset: float = 0.0) -> TriangleMesh:
    mesh = trimesh.creation.icosphere(subdivisions=4, radius=radius)
    return TriangleMesh(np.asarray(mesh.vertices) + np.array([offset, 0, 0]), np.asarray(mesh.faces))


@pytest.fixture
def cameras() -> Cameras:
    """Two, that look at the origin along z and from the other side."""
    intrinsics = np.array([[FOCAL, 0, 99.5], [0, FOCAL, 79.5], [0, 0, 1]])
    shift = np.array([0, 0, DISTANCE])
    turned = np.diag([-1.0, 1, -1])
    return Cameras.stack([Camera(intrinsics, np.eye(3), shift), Camera(intrinsics, turned, shift)], [SIZE] * 2)


def disc(radius: float = 1.0) -> np.ndarray:
    row, column = np.mgrid[: SIZE[1], : SIZE[0]]
    return np.hypot(row - 79.5, column - 99.5) < FOCAL * math.tan(math.asin(radius / DISTANCE))


@pytest.mark.parametrize("rays", [100_000, 5000])
def test_a_ball_fills_its_own_silhouette(cameras, rays):
    for agreement in silhouette_agreement(ball(), cameras, [disc(), disc()], rays):
        assert agreement.iou > 0.985
        assert agreement.missing < 0.012
        assert agreement.extra < 0.005


def test_shares_are_of_the_mask(cameras):
    smaller, larger = silhouette_agreement(ball(), cameras, [disc(0.8), disc(1.2)], 100_000)
    inner, middle, outer = (math.tan(math.asin(radius / DISTANCE)) ** 2 for radius in (0.8, 1.0, 1.2))
    assert smaller == pytest.approx((inner / middle, 0, middle / inner - 1), abs=0.015)
    assert larger == pytest.approx((middle / outer, 1 - middle / outer, 0), abs=0.015)


def test_what_is_elsewhere_does_not_agree(cameras):
    right, left = silhouette_agreement(ball(0.2, offset=1.3), cameras, [disc(0.4), np.zeros_like(disc())])
    assert (right.iou, right.missing) == (0, 1)
    assert left.iou == 0


def test_hits_are_where_the_surface_is(cameras):
    pixels = torch.tensor([[99.5, 79.5], [99.5 + 55, 79.5], [99.5 + 65, 79.5]])
    views = torch.tensor([0, 0, 0])
    assert surface_hits(ball(), cameras, views, pixels).tolist() == [True, True, False]
    assert surface_hits(ball(offset=0.5), cameras, views, pixels).tolist() == [True, True, True]
    assert surface_hits(ball(offset=0.5), cameras, views + 1, pixels).tolist() == [True, False, False]
