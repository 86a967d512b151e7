"""A photograph of a surface that was never there: colour, mask and depth of one view by ray casting."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from isopts.geometry.cameras import Cameras
from isopts.kernels.triangles import PreparedMesh, cast_rays_at
from isopts.render.lights import Lights
from isopts.render.supersampling import QUARTERS, differs_from_neighbor

_VISIBLE_STEP = 0.12  # of 1: more than the procedural texture's, less than most edges'
_RAYS_AT_ONCE = 1 << 17  # bounds the memory


class SurfaceHits(NamedTuple):
    """points (N, 3) float32, unit frame; faces (N,) int64; barycentric (N, 3) weights of the face's corners."""

    points: torch.Tensor
    faces: torch.Tensor
    barycentric: torch.Tensor


@dataclass(frozen=True)
class VisibleSurface:
    """mesh: in the unit frame of the object. face_normals (F, 3) float32. normals: (N, 3) unit, outward, for shading;
    albedo: (N, 3) linear RGB, 0 ... 1; both of hits on the mesh."""

    mesh: PreparedMesh
    face_normals: torch.Tensor
    normals: Callable[[SurfaceHits], torch.Tensor]
    albedo: Callable[[SurfaceHits], torch.Tensor]


class SyntheticView(NamedTuple):
    """image (H, W, 3) uint8, 255 times linear RGB, black around the object. mask (H, W) bool and depth (H, W) float32
    of the rays through the pixels' middles; depth along the optical axis, in the frame of the cameras, 0 where there
    is nothing."""

    image: np.ndarray
    mask: np.ndarray
    depth: np.ndarray


def render_view(surface: VisibleSurface, cameras: Cameras, view: int, lights: Lights) -> SyntheticView:
    """Lambert shading without shadows. A pixel whose colour differs much from a neighbour's, as at a
    silhouette, is the mean of 2 x 2 rays.

    Args:
        cameras: in the unit frame of `surface`. The image has the size of their view `view`.
        lights: in that frame too.
    """
    width, height = cameras.sizes[view].tolist()
    row, column = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    pixels = torch.stack([column, row], dim=-1).reshape(-1, 2).float()
    colors, depths = _trace(surface, cameras, view, lights, pixels)
    edges = torch.nonzero(differs_from_neighbor(colors.view(height, width, 3), _VISIBLE_STEP).flatten())[:, 0]
    around, _ = _trace(surface, cameras, view, lights, (pixels[edges, None] + QUARTERS).view(-1, 2))
    colors[edges] = around.view(-1, 4, 3).mean(dim=1)
    image = (255 * colors + 0.5).to(torch.uint8).view(height, width, 3)
    depth = depths.view(height, width)
    return SyntheticView(image.numpy(), (depth > 0).numpy(), depth.numpy())


def _trace(
    surface: VisibleSurface, cameras: Cameras, view: int, lights: Lights, pixels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Colours (R, 3), at most 1, and depths (R,), 0 where missed, of the rays through `pixels` (R, 2)."""
    parts = [_trace_at_once(surface, cameras, view, lights, part) for part in pixels.split(_RAYS_AT_ONCE)]
    colors, depths = zip(*parts, strict=True)
    return torch.cat(colors), torch.cat(depths)


def _trace_at_once(
    surface: VisibleSurface, cameras: Cameras, view: int, lights: Lights, pixels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    origins, directions = cameras.rays(torch.full((len(pixels),), view), pixels.double())
    found = cast_rays_at(surface.mesh, origins, directions)
    colors, depths = torch.zeros((len(pixels), 3)), torch.zeros(len(pixels))
    seen = torch.nonzero(found.faces >= 0)[:, 0]
    if len(seen) == 0:
        return colors, depths
    origins, directions, distances = origins[seen], directions[seen], found.distances[seen]
    points = (origins + distances[:, None] * directions).float()
    depths[seen] = (distances * (directions @ cameras.viewing_directions()[view])).float()
    hits = SurfaceHits(points, found.faces[seen], found.barycentric[seen].float())
    normals = _toward_eye(surface, hits, directions.float())
    colors[seen] = (surface.albedo(hits) * lights.irradiance(points, normals)).clamp(0, 1)
    return colors, depths


def _toward_eye(surface: VisibleSurface, hits: SurfaceHits, directions: torch.Tensor) -> torch.Tensor:
    """The shading normals, turned over where a face is seen from behind: open meshes have two sides."""
    normals = surface.normals(hits)
    behind = (surface.face_normals[hits.faces] * directions).sum(dim=1, keepdim=True) > 0
    return torch.where(behind, -normals, normals)
