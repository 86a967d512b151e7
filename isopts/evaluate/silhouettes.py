"""How well a surface fills the masks of posed views."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch

from isopts.geometry.cameras import Cameras
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.kernels.triangles import cast_rays

RAYS_PER_VIEW = 10_000


class SilhouetteAgreement(NamedTuple):
    """iou: of mask and projected surface. missing: share of the mask that the surface leaves empty. extra: what of the
    surface is outside the mask, in shares of the mask."""

    iou: float
    missing: float
    extra: float


def silhouette_agreement(
    mesh: TriangleMesh, cameras: Cameras, masks: Iterable[np.ndarray], rays_per_view: int = RAYS_PER_VIEW
) -> list[SilhouetteAgreement]:
    """Compare the projection of `mesh` with masks (H, W) bool, at pixels of a regular lattice over both.

    Args:
        mesh: in the frame of the cameras.
        rays_per_view: about so many pixels are looked at; the others cost time and change little.
    """
    lattices, expected = [], []
    for view, mask in enumerate(masks):
        rows, columns = _lattice(mesh, cameras, view, mask, rays_per_view)
        lattices.append(np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2))
        expected.append(mask[np.ix_(rows, columns)].ravel())
    views = torch.repeat_interleave(torch.arange(len(lattices)), torch.tensor([len(lattice) for lattice in lattices]))
    hits = surface_hits(mesh, cameras, views, torch.from_numpy(np.concatenate(lattices)))
    counts = np.cumsum([len(lattice) for lattice in lattices])[:-1]
    return [_agreement(found, wanted) for found, wanted in zip(np.split(hits, counts), expected, strict=True)]


def surface_hits(mesh: TriangleMesh, cameras: Cameras, views: torch.Tensor, pixels: torch.Tensor) -> np.ndarray:
    """(R,) bool: the ray through `pixels` (R, 2), column and row, of `views` (R,) meets the mesh."""
    origins, directions = cameras.rays(views, pixels.to(cameras.intrinsics.dtype))
    hits = cast_rays(origins, directions, torch.from_numpy(mesh.vertices), torch.from_numpy(mesh.faces))
    return (hits.faces >= 0).numpy()


def _lattice(
    mesh: TriangleMesh, cameras: Cameras, view: int, mask: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of about `count` pixels over the box around mask and projected vertices."""
    pixels, depths = cameras.select([view]).project(torch.from_numpy(mesh.vertices))
    at = pixels[0][depths[0] > 0]
    last = torch.tensor(mask.shape[::-1]) - 1
    used_columns, used_rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    inside = torch.from_numpy(np.stack([used_columns[[0, -1]], used_rows[[0, -1]]], axis=1)) if mask.any() else at[:0]
    corners = torch.cat([at, inside.double()]).clamp(torch.zeros(2).double(), last.double())
    if len(corners) == 0:
        return np.zeros(0, int), np.zeros(0, int)
    (left, top), (right, bottom) = corners.amin(dim=0).floor().int().tolist(), corners.amax(dim=0).ceil().int().tolist()
    step = max(1, math.ceil(math.sqrt((right - left + 1) * (bottom - top + 1) / count)))
    return np.arange(top + step // 2, bottom + 1, step), np.arange(left + step // 2, right + 1, step)


def _agreement(found: np.ndarray, wanted: np.ndarray) -> SilhouetteAgreement:
    both, either, area = (found & wanted).sum(), (found | wanted).sum(), max(wanted.sum(), 1)
    iou = float(both / either) if either else 1.0
    return SilhouetteAgreement(iou, float((wanted & ~found).sum() / area), float((found & ~wanted).sum() / area))
