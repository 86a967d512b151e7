"""Photographs on a surface: which view is looked at, and what is seen where."""

import math

import numpy as np
import torch
import trimesh

from isopts.geometry.cameras import Camera, Cameras
from isopts.render.blend_views import blend_views
from isopts.render.view_weights import view_weights

SIZE, FOCAL = 200, 200.0
BALL = trimesh.creation.icosphere(subdivisions=4, radius=0.5)


def camera(center: np.ndarray) -> Camera:
    """Looks at the origin."""
    forward = -center / np.linalg.norm(center)
    right = np.cross(forward, [0.3, 0.5, 0.81])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    middle = (SIZE - 1) / 2
    return Camera(np.array([[FOCAL, 0, middle], [0, FOCAL, middle], [0, 0, 1.0]]), rotation, -rotation @ center)


def around(count: int, distance: float = 3.0) -> Cameras:
    z = 1 - (2 * np.arange(count) + 1) / count
    angle, ring = np.arange(count) * math.pi * (3 - math.sqrt(5)), np.sqrt(1 - z * z)
    centers = distance * np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=1)
    return Cameras.stack([camera(center) for center in centers], [(SIZE, SIZE)] * count).to("cpu", torch.float32)


def everywhere(views: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
    return torch.ones(len(views), dtype=torch.bool)


def parts(mesh: trimesh.Trimesh) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    vertices, normals = (torch.from_numpy(np.array(part)).float() for part in (mesh.vertices, mesh.vertex_normals))
    return vertices, normals, torch.from_numpy(np.array(mesh.faces))


def test_the_weight_is_greatest_in_front_of_the_camera_and_none_behind() -> None:
    vertices, normals, faces = parts(BALL)
    cameras = around(12)
    weights = view_weights(vertices, normals, faces, cameras, everywhere)
    toward = torch.nn.functional.normalize(cameras.centers()[None] - vertices[:, None], dim=2)
    cosines = torch.einsum("nvi,ni->nv", toward, normals)
    assert (weights[cosines < 0.2] == 0).all()
    assert (weights[cosines > 0.3] > 0).all()
    for view in range(12):
        beside_hidden = faces[(cosines[:, view] < 0.2)[faces].any(dim=1)]
        assert (weights[beside_hidden, view] == 0).all()
    assert (cosines.gather(0, weights.argmax(dim=0)[None]) > 0.98).all()
    assert float(weights.max()) == 1


def test_what_another_part_hides_has_no_weight() -> None:
    screen = trimesh.creation.icosphere(subdivisions=3, radius=0.2)
    screen.apply_translation([0, 0, 1.0])
    vertices, normals, faces = parts(trimesh.util.concatenate([BALL, screen]))
    cameras = Cameras.stack([camera(np.array([0.0, 0.01, 3]))], [(SIZE, SIZE)]).to("cpu", torch.float32)
    weights = view_weights(vertices, normals, faces, cameras, everywhere)[:, 0]
    aside = vertices[:, :2].norm(dim=1)
    on_ball, front = vertices.norm(dim=1) < 0.6, vertices[:, 2] > 0.28
    assert (weights[on_ball & front & (aside < 0.2)] == 0).all()  # in the shadow, 0.25 wide
    assert (weights[on_ball & front & (aside > 0.37)] > 0).all()


def test_colours_are_those_of_the_place_in_every_view() -> None:
    vertices, normals, faces = parts(BALL)
    cameras = around(12)

    def sample(views: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """Every photograph shows the ball with the colour x + 0.5."""
        origins, directions = cameras.rays(views, pixels)
        b = (origins * directions).sum(dim=1)
        distances = -b - (b * b - origins.square().sum(dim=1) + 0.25).clamp_min(0).sqrt()
        return origins + distances[:, None] * directions + 0.5

    weights = view_weights(vertices, normals, faces, cameras, everywhere)
    colors, shown = blend_views(vertices, weights, cameras, sample, everywhere)
    assert shown.all()
    assert torch.allclose(colors, vertices + 0.5, atol=2e-3)
    _, shown = blend_views(vertices, torch.zeros_like(weights), cameras, sample, everywhere)
    assert not shown.any()
    assert blend_views(vertices, torch.ones_like(weights), cameras, sample, everywhere)[1].all()


def test_no_step_where_the_views_change() -> None:
    """Weights that pass each other change which four views are taken; the colour must not jump."""
    cameras = around(5)
    shares = torch.linspace(0, 1, 1001)[:, None]
    weights = torch.tensor([1.0, 0.9, 0.8, 0.5, 0.3]) * (1 - shares) + torch.tensor([1.0, 0.9, 0.8, 0.3, 0.5]) * shares
    palette = torch.eye(5)[:, 2:]
    points = torch.zeros((1001, 3))
    colors, _ = blend_views(points, weights, cameras, lambda views, pixels: palette[views], everywhere)
    assert (colors[1:] - colors[:-1]).abs().max() < 2e-3
    assert (colors[0] - colors[-1]).abs().max() > 0.05
