"""One picture of a result: the mesh from two sides, and the iso-points on it."""

import math
from dataclasses import replace

import numpy as np
import torch

from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.render.discs import FACES_PER_DISC, build_discs
from isopts.render.orthographic import ColoredSurface, OrthographicView, render_surface
from isopts.render.preview_sides import PreviewSides, opposite_sides
from isopts.render.srgb import decode_srgb, encode_srgb

SURFACE = (0.55, 0.62, 0.72)  # linear RGB
PALE_SURFACE = (0.75, 0.76, 0.78)
POINT = (0.90, 0.32, 0.05)
_COLOR_SHADING = 0.4  # of the mesh's own colours, which were photographed in light
_DISC_COVERAGE = 0.35  # share of the surface that the discs cover together


def render_preview(
    mesh: TriangleMesh,
    points: np.ndarray | None = None,
    normals: np.ndarray | None = None,
    height: int = 500,
    sides: PreviewSides | None = None,
) -> np.ndarray:
    """Panels side by side, each `height` pixels square: the mesh from the first side in grey, from the second in its
    own colours where it has them, and with `points` from the first again with a disc for each of them that faces it.

    Faces seen from behind are red, which a closed mesh that is the right way out never shows.

    Args:
        mesh: any frame; has faces.
        points: (M, 3) in the frame of the mesh.
        normals: (M, 3) unit, outward; without them the discs face the first view.
        sides: directions along the axes of the mesh; two opposite three-quarter views, y upwards, where None.

    Returns:
        (height, panels * height, 3) uint8, sRGB.
    """
    sides = opposite_sides() if sides is None else sides
    center = (mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0)) / 2
    grey = _surface(mesh, center, SURFACE)
    colored, shading = grey, 1.0
    if mesh.colors is not None:
        colored, shading = replace(grey, colors=_face_colors(mesh)), _COLOR_SHADING
    first = OrthographicView.around(grey.vertices, sides.first, sides.up)
    second = OrthographicView.around(grey.vertices, sides.second, sides.up)
    panels = [render_surface(grey, first, height), render_surface(colored, second, height, shading)]
    if points is not None and len(points):
        local = torch.from_numpy(points - center).float()
        facing = first.toward.expand_as(local) if normals is None else torch.from_numpy(normals).float()
        radius = math.sqrt(_DISC_COVERAGE * float(mesh.face_areas().sum()) / (math.pi * len(points)))
        toward_eye = facing @ first.toward > 0
        discs = _discs(local[toward_eye], facing[toward_eye], radius)
        panels.append(render_surface(_join(_surface(mesh, center, PALE_SURFACE), discs), first, height))
    return encode_srgb(torch.cat(panels, dim=1))


def _surface(mesh: TriangleMesh, center: np.ndarray, color: tuple[float, float, float]) -> ColoredSurface:
    faces = torch.from_numpy(mesh.faces)
    if mesh.normals is None:
        normals = torch.from_numpy(mesh.face_normals()).float()[:, None].expand(-1, 3, -1)
    else:
        normals = torch.from_numpy(mesh.normals).float()[faces]
    return ColoredSurface(
        torch.from_numpy(mesh.vertices - center).float(), faces, torch.tensor(color).expand(len(faces), -1), normals
    )


def _face_colors(mesh: TriangleMesh) -> torch.Tensor:
    """(F, 3) linear RGB: means of the corners'."""
    return decode_srgb(mesh.colors)[torch.from_numpy(mesh.faces)].mean(dim=1)


def _discs(points: torch.Tensor, normals: torch.Tensor, radius: float) -> ColoredSurface:
    vertices, faces = build_discs(points, normals, radius)
    corner_normals = normals.repeat_interleave(FACES_PER_DISC, dim=0)[:, None].expand(-1, 3, -1)
    return ColoredSurface(vertices, faces, torch.tensor(POINT).expand(len(faces), -1), corner_normals)


def _join(first: ColoredSurface, second: ColoredSurface) -> ColoredSurface:
    return ColoredSurface(
        torch.cat([first.vertices, second.vertices]),
        torch.cat([first.faces, second.faces + len(first.vertices)]),
        torch.cat([first.colors, second.colors]),
        torch.cat([first.corner_normals, second.corner_normals]),
    )
