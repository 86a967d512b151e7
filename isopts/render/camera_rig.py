"""Cameras as solid bodies, so that they can be rendered like a surface: wire pyramids that hold their images."""

from collections.abc import Sequence

import numpy as np
import torch

from isopts.geometry.cameras import Cameras
from isopts.render.orthographic import ColoredSurface
from isopts.render.srgb import decode_srgb

WIRE = (0.05, 0.06, 0.08)  # linear RGB
_WIRE_SHARE = 0.03  # radius of the wires, of a pyramid's height
_TRIANGLE = torch.tensor([[1.0, 0.0], [-0.5, 0.75**0.5], [-0.5, -(0.75**0.5)]])
_PRISM = torch.tensor([[0, 1, 4], [0, 4, 3], [1, 2, 5], [1, 5, 4], [2, 0, 3], [2, 3, 5]])
_EDGES = ((0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1))  # of a pyramid with its apex first


def camera_rig(cameras: Cameras, pictures: Sequence[np.ndarray], height: float) -> ColoredSurface:
    """A pyramid for each camera: the apex is its centre, the base its image, both sides of it painted.

    Args:
        cameras: V, float32.
        pictures: V small images (h, w, 3) uint8, sRGB.
        height: of the pyramids, in the unit of the cameras.
    """
    parts = []
    for view, picture in enumerate(pictures):
        corners = _base(cameras, view, 2, 2, height)[[0, 1, 3, 2]]
        apex = cameras.centers()[view : view + 1]
        parts += [
            _wire(torch.cat([apex, corners]), height * _WIRE_SHARE),
            _painted_base(cameras, view, picture, height),
        ]
    return join_surfaces(parts)


def join_surfaces(parts: Sequence[ColoredSurface]) -> ColoredSurface:
    """One surface of several."""
    first = np.cumsum([0, *(len(part.vertices) for part in parts)])
    return ColoredSurface(
        torch.cat([part.vertices for part in parts]),
        torch.cat([part.faces + int(start) for part, start in zip(parts, first, strict=False)]),
        torch.cat([part.colors for part in parts]),
        torch.cat([part.corner_normals for part in parts]),
    )


def _base(cameras: Cameras, view: int, columns: int, rows: int, height: float) -> torch.Tensor:
    """(rows * columns, 3): a lattice over the image, at the depth `height`, its corners at the image's."""
    width_pixels, height_pixels = cameras.sizes[view].tolist()
    u = torch.linspace(-0.5, width_pixels - 0.5, columns)
    v = torch.linspace(-0.5, height_pixels - 0.5, rows)
    pixels = torch.cartesian_prod(v, u).flip(1)
    origins, directions = cameras.rays(torch.full((len(pixels),), view), pixels)
    return origins + height * directions / (directions @ cameras.viewing_directions()[view])[:, None]


def _painted_base(cameras: Cameras, view: int, picture: np.ndarray, height: float) -> ColoredSurface:
    """Two triangles a pixel and side."""
    rows, columns = picture.shape[:2]
    vertices = _base(cameras, view, columns + 1, rows + 1, height)
    corner = (torch.arange(rows)[:, None] * (columns + 1) + torch.arange(columns)).flatten()
    right, below, across = corner + 1, corner + columns + 1, corner + columns + 2
    # columns grow to the right and rows downwards of a viewer who looks along the camera: this side faces the apex
    front = torch.stack([torch.stack([corner, below, across], 1), torch.stack([corner, across, right], 1)], 1).view(
        -1, 3
    )
    back = front.flip(1) + len(vertices)
    normal = -cameras.viewing_directions()[view]
    lifted = vertices - 1e-3 * height * normal
    colors = decode_srgb(picture.reshape(-1, 3)).repeat_interleave(2, dim=0)
    normals = torch.cat([normal.expand(len(front), 3, 3), -normal.expand(len(back), 3, 3)])
    return ColoredSurface(torch.cat([vertices, lifted]), torch.cat([front, back]), colors.repeat(2, 1), normals)


def _wire(corners: torch.Tensor, radius: float) -> ColoredSurface:
    """Three-sided prisms along the edges of a pyramid with `corners` (5, 3)."""
    start, end = (corners[[edge[side] for edge in _EDGES]] for side in (0, 1))
    along = torch.nn.functional.normalize(end - start, dim=1)
    farthest = torch.nn.functional.one_hot(along.abs().argmin(dim=1), 3).to(along.dtype)
    across = torch.nn.functional.normalize(torch.linalg.cross(farthest, along), dim=1)
    up = torch.linalg.cross(along, across)
    rim = radius * (_TRIANGLE[:, :1, None] * across + _TRIANGLE[:, 1:, None] * up)  # (3, E, 3)
    vertices = torch.cat([start + rim, end + rim]).transpose(0, 1).reshape(-1, 3)
    faces = (_PRISM + 6 * torch.arange(len(_EDGES))[:, None, None]).view(-1, 3)
    a, b, c = (vertices[faces[:, side]] for side in range(3))
    normals = torch.nn.functional.normalize(torch.linalg.cross(b - a, c - a), dim=1)
    colors = torch.tensor(WIRE).expand(len(faces), 3)
    return ColoredSurface(vertices, faces, colors, normals[:, None].expand(-1, 3, -1))
