"""One picture of posed views: cameras around the visual hull, the hull, and where hull and masks disagree."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from isopts.geometry.camera_side import camera_side
from isopts.geometry.cameras import Cameras
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.geometry.upright_rotation import upright_rotation
from isopts.render.camera_rig import camera_rig, join_surfaces
from isopts.render.orthographic import ColoredSurface, OrthographicView, render_surface
from isopts.render.srgb import encode_srgb

HULL = (0.55, 0.62, 0.72)  # linear RGB
MISSING, EXTRA = (255, 60, 40), (40, 120, 255)  # sRGB: mask without hull, hull without mask
_TOWARD_EYE = (0.75, 0.5, 0.65)
_PYRAMID_SHARE = 0.16  # of the median distance of the cameras
_THUMBNAIL = 24  # pixels along the longer side
_DIMMED = 0.35


class ComparedView(NamedTuple):
    """An image (H, W, 3) uint8 with its mask (H, W) bool and the hull's projection (H, W) bool."""

    image: np.ndarray
    mask: np.ndarray
    hull: np.ndarray


def render_views(
    hull: TriangleMesh,
    cameras: Cameras,
    images: Sequence[np.ndarray],
    compared: Sequence[ComparedView],
    height: int = 480,
) -> np.ndarray:
    """Picture (H, 2 * height, 3) uint8, sRGB. On top cameras with hull and the hull alone, below the `compared` images:
    red is mask without hull, blue is hull without mask, the background is dimmed.

    Args:
        hull, cameras: in one unit frame. The picture's up is the cameras' mean up.
        images: of all views, (H, W, 3) uint8; only a few of their pixels are looked at.
    """
    upright = upright_rotation(cameras)
    turned = replace(cameras.to("cpu", torch.float32), rotations=cameras.rotations.float() @ upright.T)
    body = _body(hull, upright)
    pyramid = _PYRAMID_SHARE * float(turned.centers().norm(dim=1).median())
    rig = join_surfaces([camera_rig(turned, [_thumbnail(image) for image in images], pyramid), body])
    toward = _toward_eye(turned)
    panels = [render_surface(part, OrthographicView.around(part.vertices, toward), height) for part in (rig, body)]
    top = encode_srgb(torch.cat(panels, dim=1))
    if not compared:
        return top
    tiles = [_resample(_compare(view), top.shape[1] // len(compared)) for view in compared]
    rows = max(tile.shape[0] for tile in tiles)
    row = np.concatenate([np.pad(tile, ((0, rows - tile.shape[0]), (0, 0), (0, 0))) for tile in tiles], axis=1)
    return np.concatenate([top, np.pad(row, ((0, 0), (0, top.shape[1] - row.shape[1]), (0, 0)))])


def _toward_eye(cameras: Cameras) -> torch.Tensor:
    """From the side of the cameras, when they are on one, so that their images can be seen past them."""
    side = camera_side(cameras, torch.eye(3))
    if side is None:
        return torch.tensor(_TOWARD_EYE)
    sideways = torch.stack([side[2], torch.zeros(()), -side[0]])
    return sideways / sideways.norm() - 0.35 * side + torch.tensor([0.0, 0.45, 0.0])


def _body(mesh: TriangleMesh, upright: torch.Tensor) -> ColoredSurface:
    faces = torch.from_numpy(mesh.faces)
    normals = torch.from_numpy(mesh.face_normals()).float()[:, None].expand(-1, 3, -1)
    if mesh.normals is not None:
        normals = torch.from_numpy(mesh.normals).float()[faces]
    vertices = torch.from_numpy(mesh.vertices).float() @ upright.T
    return ColoredSurface(vertices, faces, torch.tensor(HULL).expand(len(faces), -1), normals @ upright.T)


def _thumbnail(image: np.ndarray) -> np.ndarray:
    step = max(1, -(-max(image.shape[:2]) // _THUMBNAIL))
    return image[step // 2 :: step, step // 2 :: step]


def _compare(view: ComparedView) -> np.ndarray:
    picture = np.where(view.mask[..., None], view.image, view.image * _DIMMED)
    for where, color in ((view.mask & ~view.hull, MISSING), (view.hull & ~view.mask, EXTRA)):
        picture = np.where(where[..., None], np.array(color, dtype=float), picture)
    return picture.astype(np.uint8)


def _resample(picture: np.ndarray, columns: int) -> np.ndarray:
    """Shrink or enlarge to a number of columns, by the nearest pixel."""
    height, width = picture.shape[:2]
    rows = np.arange(max(1, round(height * columns / width))) * width // columns
    return picture[np.ix_(np.minimum(rows, height - 1), np.arange(columns) * width // columns)]
