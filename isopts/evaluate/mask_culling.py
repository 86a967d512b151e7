"""Remove from a mesh what the masks of posed views exclude, as is usual before DTU's evaluation."""

from collections.abc import Iterable

import numpy as np
import torch
from pydantic import Field
from scipy.ndimage import distance_transform_edt

from isopts.config import StrictModel
from isopts.geometry.cameras import Cameras
from isopts.geometry.keep_faces import keep_faces
from isopts.geometry.triangle_mesh import TriangleMesh

DILATION_SHARE = 1 / 32
"""Of an image's width: the 50 pixels of 1600 of the evaluation of NeuS."""


class CullingConfig(StrictModel):
    """How far masks are trusted."""

    dilation_pixels: float | None = Field(
        None, ge=0, description="masks are widened by so much; null: 1/32 of the image's width, 50 pixels of DTU's 1600"
    )
    views_tolerated: int = Field(0, ge=0, description="so many views may exclude a vertex that stays; for wrong masks")


def cull_by_masks(
    mesh: TriangleMesh, cameras: Cameras, masks: Iterable[np.ndarray], config: CullingConfig
) -> TriangleMesh:
    """`mesh` without the faces whose three corners are excluded, and without the vertices that no face uses then.

    A view excludes a vertex that it has in its image, in front of the camera, and outside of its widened mask. What is
    in no image stays. Of a cloud (no faces) the excluded points go.

    Args:
        mesh: in the frame of the cameras.
        masks: (H, W) bool, one for each camera, in the size of its image; taken one after the other.
    """
    excluding = np.zeros(len(mesh.vertices), dtype=np.int64)
    for view, mask in enumerate(masks):
        excluding += _excluded(mesh.vertices, cameras.select([view]), mask, config)
    stays = excluding <= config.views_tolerated
    if len(mesh.faces) == 0:
        return TriangleMesh(mesh.vertices[stays], mesh.faces, None if mesh.normals is None else mesh.normals[stays])
    return keep_faces(mesh, stays[mesh.faces].any(axis=1))


def _excluded(vertices: np.ndarray, camera: Cameras, mask: np.ndarray, config: CullingConfig) -> np.ndarray:
    """(V,) bool, of the one view of `camera`."""
    pixels, depths = (part[0].numpy() for part in camera.project(torch.from_numpy(vertices)))
    inside = (depths > 0) & (pixels > -0.5).all(axis=1) & (pixels < np.array(mask.shape[::-1]) - 0.5).all(axis=1)
    column, row = np.rint(pixels[inside]).astype(np.int64).T
    excluded = np.zeros(len(vertices), dtype=bool)
    radius = config.dilation_pixels
    excluded[inside] = ~_dilated(mask, DILATION_SHARE * mask.shape[1] if radius is None else radius)[row, column]
    return excluded


def _dilated(mask: np.ndarray, radius: float) -> np.ndarray:
    """(H, W) bool: the pixels whose centre is no farther than `radius` from one of the mask."""
    wide = np.zeros_like(mask)
    if mask.any():
        used = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        reach = int(np.ceil(radius))
        box = tuple(slice(max(0, at[0] - reach), at[-1] + reach + 1) for at in used)
        wide[box] = distance_transform_edt(~mask[box]) <= radius
    return wide
