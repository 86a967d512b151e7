import math

import numpy as np
import pytest
import torch
import trimesh

from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.render.discs import FACES_PER_DISC, build_discs
from isopts.render.preview import render_preview
from isopts.render.preview_sides import PreviewSides


def sphere(radius: float = 0.5, offset: float = 0.0) -> TriangleMesh:
    mesh = trimesh.creation.icosphere(subdivisions=4)
    normals = np.asarray(mesh.vertices, dtype=np.float32)
    return TriangleMesh(radius * np.asarray(mesh.vertices) + offset, np.asarray(mesh.faces), normals)


def is_red(picture: np.ndarray) -> np.ndarray:
    """Pixels in the hue of faces seen from behind: far more red than green, and more blue than green."""
    red, green, blue = (picture[..., channel].astype(int) for channel in range(3))
    return (red > 2 * green) & (blue > green)


def is_background(picture: np.ndarray) -> np.ndarray:
    return (np.abs(picture.astype(int) - picture[0, 0]) <= 1).all(axis=-1)


@pytest.mark.parametrize("offset", [0.0, 5.4e6])
def test_a_sphere_has_the_area_of_its_silhouette(offset: float) -> None:
    picture = render_preview(sphere(offset=offset), height=120)
    assert picture.shape == (120, 240, 3)
    assert picture.dtype == np.uint8
    for panel in np.split(picture, 2, axis=1):
        share = 1 - is_background(panel).mean()
        assert share == pytest.approx(math.pi / 4 / 1.06**2, rel=0.02)
        assert not is_red(panel).any()
        assert panel[30, 45].mean() > panel[100, 75].mean()  # lit from the upper left


def test_a_mesh_that_is_inside_out_is_red() -> None:
    mesh = sphere()
    picture = render_preview(TriangleMesh(mesh.vertices, mesh.faces[:, ::-1], mesh.normals), height=120)
    assert is_red(picture).mean() == pytest.approx(math.pi / 4 / 1.06**2, rel=0.05)


def test_the_second_panel_has_the_colors_of_the_mesh() -> None:
    mesh = sphere()
    green = np.tile(np.array([20, 200, 40], np.uint8), (len(mesh.vertices), 1))
    picture = render_preview(TriangleMesh(mesh.vertices, mesh.faces, mesh.normals, green), height=80)
    grey, colored = picture[40, 40].astype(int), picture[40, 120].astype(int)
    assert np.ptp(grey) < 50
    assert colored[1] > 150
    assert colored[[0, 2]].max() < 60
    inside_out = render_preview(TriangleMesh(mesh.vertices, mesh.faces[:, ::-1], mesh.normals, green), height=80)
    assert is_red(inside_out).mean() == pytest.approx(math.pi / 4 / 1.06**2, rel=0.05)


def test_up_is_up_and_each_panel_has_its_side() -> None:
    pole = trimesh.creation.box((0.1, 0.1, 1.0))  # along z, with a flag at its upper end towards x
    flag = trimesh.creation.box((0.4, 0.05, 0.2))
    flag.apply_translation([0.2, 0, 0.4])
    whole = trimesh.util.concatenate([pole, flag])
    mesh = TriangleMesh(np.asarray(whole.vertices), np.asarray(whole.faces))
    up, eye = torch.tensor([0.0, 0.0, 1.0]), torch.tensor([0.0, -1.0, 0.2])
    picture = render_preview(mesh, height=100, sides=PreviewSides(up, eye, eye * torch.tensor([1.0, -1.0, 1.0])))
    first, second = (~is_background(panel) for panel in np.split(picture, 2, axis=1))
    for panel in (first, second):
        widths = panel.sum(axis=1)[panel.any(axis=1)]
        assert widths[8] > 2 * widths[-8]  # the flag is above
    assert np.nonzero(first)[1].mean() < 50  # the pole is left of the flag
    assert np.nonzero(second)[1].mean() > 50


def test_points_in_front_are_seen_and_those_behind_are_not() -> None:
    mesh = sphere()
    toward_eye = np.array([[0.65, 0.45, 1.0]]) / np.linalg.norm([0.65, 0.45, 1.0])
    for direction, visible in ((1, True), (-1, False)):
        points = 0.5 * direction * toward_eye
        for normals in (None, direction * toward_eye):
            panel = render_preview(mesh, points, normals, height=60)[:, 120:]
            orange = panel[30, 30].astype(int)
            assert (orange[0] > 1.5 * orange[2]) == visible


def test_discs_lie_around_their_points() -> None:
    normals = torch.nn.functional.normalize(torch.randn((50, 3), generator=torch.Generator().manual_seed(2)), dim=1)
    points = 3 * normals
    vertices, faces = build_discs(points, normals, 0.1)
    assert len(faces) == 50 * FACES_PER_DISC
    around = vertices.view(50, 8, 3) - points[:, None]
    torch.testing.assert_close((around * normals[:, None]).sum(-1), torch.full((50, 8), 0.025), atol=1e-6, rtol=0)
    torch.testing.assert_close(around.norm(dim=-1), torch.full((50, 8), 0.1 * math.sqrt(1 + 1 / 16)), atol=1e-6, rtol=0)
    a, b, c = vertices[faces].unbind(1)
    facing = torch.linalg.cross(b - a, c - a)
    assert ((facing * normals.repeat_interleave(FACES_PER_DISC, dim=0)).sum(-1) > 0).all()
