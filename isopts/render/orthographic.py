"""Shaded pictures of a triangle mesh without perspective."""

from dataclasses import dataclass

import torch

from isopts.kernels.triangles import cast_rays
from isopts.render.supersampling import QUARTERS, differs_from_neighbor

BACKGROUND = (0.93, 0.94, 0.95)  # linear RGB, as all colours here
BACK_FACE = (0.80, 0.06, 0.30)  # a mesh that is inside out shows at once
_KEY, _FILL, _AMBIENT = 0.62, 0.28, 0.16
_VISIBLE_STEP = 0.06  # linear; smaller steps between pixels need no smoothing


@dataclass(frozen=True)
class ColoredSurface:
    """vertices (V, 3), faces (F, 3), colors (F, 3) linear RGB, corner_normals (F, 3, 3): unit, of a face's corners."""

    vertices: torch.Tensor
    faces: torch.Tensor
    colors: torch.Tensor
    corner_normals: torch.Tensor


@dataclass(frozen=True)
class OrthographicView:
    """A square picture of side 2 * half_side around `center` (3,). right, up, toward: orthonormal (3,); `toward` points
    from the scene to the eye."""

    center: torch.Tensor
    right: torch.Tensor
    up: torch.Tensor
    toward: torch.Tensor
    half_side: float

    @staticmethod
    def around(vertices: torch.Tensor, toward: torch.Tensor, up: torch.Tensor | None = None) -> "OrthographicView":
        """The whole of `vertices` (V, 3) seen from the direction `toward`, with a margin of 6 %; `up` (3,) is upwards,
        y where None, and not along `toward`."""
        toward = toward / toward.norm()
        right = torch.linalg.cross(torch.tensor([0.0, 1.0, 0.0]) if up is None else up, toward)
        right = right / right.norm()
        up = torch.linalg.cross(toward, right)
        flat = vertices @ torch.stack([right, up, toward]).T
        low, high = flat.amin(dim=0), flat.amax(dim=0)
        center = (low + high) / 2 @ torch.stack([right, up, toward])
        return OrthographicView(center, right, up, toward, 0.53 * float((high - low)[:2].max()))


def render_surface(surface: ColoredSurface, view: OrthographicView, pixels: int, shading: float = 1.0) -> torch.Tensor:
    """Picture (pixels, pixels, 3) in linear RGB: headlight, a key light from the upper left, ambient light.

    Faces seen from behind are BACK_FACE. A pixel that differs from a neighbour is the mean of 2 x 2 rays, others
    take one. shading: 1 for these lights, less for colours that have been photographed in light; 0 shows them as they
    are.
    """
    row, column = torch.meshgrid(torch.arange(pixels), torch.arange(pixels), indexing="ij")
    at = torch.stack([row, column], dim=-1).reshape(-1, 2) + 0.5
    picture = _trace(surface, view, 2 * at / pixels - 1, shading)
    edges = torch.nonzero(differs_from_neighbor(picture.view(pixels, pixels, 3), _VISIBLE_STEP).flatten())[:, 0]
    around = _trace(surface, view, (2 * (at[edges, None] + QUARTERS) / pixels - 1).view(-1, 2), shading)
    picture[edges] = around.view(-1, 4, 3).mean(dim=1)
    return picture.view(pixels, pixels, 3)


def _trace(surface: ColoredSurface, view: OrthographicView, at: torch.Tensor, shading: float) -> torch.Tensor:
    """Colours (R, 3) at the places `at` (R, 2): row and column, -1 ... 1 from the upper left to the lower right."""
    far = float((surface.vertices - view.center).norm(dim=1).max()) + view.half_side
    start = view.center + far * view.toward
    origins = start + view.half_side * (at[:, 1:] * view.right - at[:, :1] * view.up)
    hits = cast_rays(origins, (-view.toward).expand_as(origins), surface.vertices, surface.faces)
    colors = torch.tensor(BACKGROUND).repeat(len(at), 1)
    seen = torch.nonzero(hits.faces >= 0)[:, 0]
    faces = hits.faces[seen]
    behind, light = _light(surface, view, faces, hits.barycentric[seen])
    seen_colors = torch.where(behind[:, None], torch.tensor(BACK_FACE), surface.colors[faces])
    colors[seen] = seen_colors * (1 - shading + shading * light)[:, None]
    return colors


def _light(
    surface: ColoredSurface, view: OrthographicView, faces: torch.Tensor, barycentric: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Whether faces (R,) are seen from behind, and the light on them at `barycentric` (R, 3)."""
    a, b, c = (surface.vertices[surface.faces[faces, corner]] for corner in range(3))
    behind = torch.linalg.cross(b - a, c - a) @ view.toward < 0
    normals = (surface.corner_normals[faces] * barycentric[..., None]).sum(dim=1)
    normals = torch.nn.functional.normalize(normals, dim=1) * torch.where(behind, -1.0, 1.0)[:, None]
    key = view.toward + 0.7 * view.up - 0.6 * view.right
    light = _AMBIENT * (1 + normals @ view.up) / 2
    light = light + _FILL * (normals @ view.toward).clamp_min(0) + _KEY * (normals @ (key / key.norm())).clamp_min(0)
    return behind, light
