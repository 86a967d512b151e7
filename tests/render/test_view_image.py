"""A ball as a camera sees it: mask, depth, normals and colours in closed form."""

import numpy as np
import torch

from isopts.geometry.cameras import Camera, Cameras
from isopts.render.sampled_field import sample_field
from isopts.render.view_image import render_view

DISTANCE, FOCAL, SIZE = 3.0, 120.0, (81, 61)


def _camera(device):
    intrinsics = np.array([[FOCAL, 0, 40.0], [0, FOCAL, 30.0], [0, 0, 1.0]])
    camera = Camera(intrinsics, np.eye(3), np.array([0, 0, DISTANCE]))
    return Cameras.stack([camera], [SIZE]).to(device, torch.float32)


def test_a_ball_in_closed_form(ball, device):
    grid = sample_field(ball.value, 64, device)
    image = render_view(ball.value_and_gradient, grid, lambda points, directions: 0.5 + 0.5 * points, _camera(device))
    assert image.colors.shape == (61, 81, 3)
    row, column = torch.meshgrid(torch.arange(61.0), torch.arange(81.0), indexing="ij")
    silhouette = FOCAL * ball.radius / (DISTANCE**2 - ball.radius**2) ** 0.5
    from_middle = torch.hypot(row - 30, column - 40).to(device)
    assert image.mask[from_middle < silhouette - 0.7].all()
    assert not image.mask[from_middle > silhouette + 0.7].any()
    torch.testing.assert_close(image.depths[30, 40].cpu(), torch.tensor(DISTANCE - ball.radius), atol=1e-4, rtol=0)
    torch.testing.assert_close(image.normals[30, 40].cpu(), torch.tensor([0.0, 0.0, -1.0]), atol=1e-3, rtol=0)
    assert image.depths[~image.mask].isinf().all()
    assert not image.colors[~image.mask].any()
    # the colour says where the point is: back to the pixel it was rendered at
    at = 2 * image.colors[image.mask] - 1
    pixels, depths = _camera(device).project(at)
    expected = torch.stack([column.to(device)[image.mask], row.to(device)[image.mask]], dim=1)
    assert (pixels[0] - expected).abs().max() < 0.02
    torch.testing.assert_close(depths[0], image.depths[image.mask], atol=1e-4, rtol=1e-4)
