"""From a mesh of a fit of images to the same mesh with a picture around it."""

import numpy as np
import torch
from torch.nn import functional

from isopts.errors import InputError
from isopts.fit.fitted.fitted_field import FittedField
from isopts.fit.views.image_stack import ImageStack
from isopts.geometry.texels import Texels, rasterize
from isopts.geometry.textured_mesh import TexturedMesh
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.mesh.unwrap import Unwrapped, unwrap
from isopts.render.blend_views import blend_views
from isopts.render.implicit_points import points_along_normals
from isopts.render.texture_picture import texture_picture
from isopts.render.view_weights import view_weights

_CHUNK = 65_536


def texture_mesh(
    fitted: FittedField, mesh: TriangleMesh, size: int, photographs: ImageStack | None = None
) -> TexturedMesh:
    """Unwrap `mesh` and colour each texel by the place on the field's zero set that it shows.

    Args:
        mesh: of `fitted`, in the input's coordinates, with normals.
        size: texels along a side of the picture.
        photographs: the colours come from these, and from the colour field where none of them shows a texel; None:
            from the colour field everywhere, each place as the camera sees it that it faces most.

    Raises:
        InputError: xatlas is not installed, or the fit has no colours.
    """
    if not fitted.has_colors:
        raise InputError("This fit has no colours to make a texture of; --texture needs a run of fit-mvr that has.")
    unwrapped = unwrap(mesh, size)
    texels = rasterize(_corners(unwrapped, size, fitted.device), size)
    surface = _Surface(fitted, mesh)
    weights = None if photographs is None else surface.weights(photographs)
    pieces = [
        surface.colors(Texels(*some), photographs, weights)
        for some in zip(*(part.split(_CHUNK) for part in texels), strict=True)
    ]
    cut = TriangleMesh(mesh.vertices[unwrapped.sources], unwrapped.faces, mesh.normals[unwrapped.sources])
    return TexturedMesh(cut, unwrapped.coordinates, texture_picture(texels.indices, torch.cat(pieces), size))


def _corners(unwrapped: Unwrapped, size: int, device: torch.device) -> torch.Tensor:
    """(F, 3, 2) columns and rows; the middle of the upper left texel is (0, 0)."""
    u, v = unwrapped.coordinates.T
    places = np.stack([u, 1 - v], axis=1) * size - 0.5
    return torch.from_numpy(places[unwrapped.faces].astype(np.float32)).to(device)


class _Surface:
    """The mesh in the unit frame, and the colours of its points."""

    def __init__(self, fitted: FittedField, mesh: TriangleMesh) -> None:
        self._fitted = fitted
        self._vertices = fitted.frame.to_unit(mesh.vertices, fitted.device)
        self._normals = torch.from_numpy(mesh.normals).to(self._vertices)
        self._faces = torch.from_numpy(mesh.faces).to(fitted.device)
        edges = self._vertices[self._faces[:, 0]] - self._vertices[self._faces[:, 1]]
        self._step_max = float(edges.norm(dim=1).median())

    def weights(self, photographs: ImageStack) -> torch.Tensor:
        """(N, V) of the vertices in the views."""
        return view_weights(self._vertices, self._normals, self._faces, photographs.cameras, photographs.masked)

    @torch.no_grad()
    def colors(self, texels: Texels, photographs: ImageStack | None, weights: torch.Tensor | None) -> torch.Tensor:
        """(T, 3) in 0 ... 1."""
        corners = self._faces[texels.faces]
        points = self._on_zero_set(_interpolate(self._vertices, corners, texels.barycentric))
        normals = functional.normalize(_interpolate(self._normals, corners, texels.barycentric), dim=1)
        colors, shown = torch.zeros_like(points), torch.zeros(len(points), dtype=torch.bool, device=points.device)
        if photographs is not None:
            own = _interpolate(weights, corners, texels.barycentric)
            colors, shown = blend_views(points, own, photographs.cameras, photographs.sample, photographs.masked)
        hidden = torch.nonzero(~shown)[:, 0]
        colors[hidden] = self._fitted.appearance.frontal_colors(self._fitted.field, points[hidden], normals[hidden])
        return colors

    def _on_zero_set(self, points: torch.Tensor) -> torch.Tensor:
        """One Newton step, not longer than an edge: triangles cut corners of the surface."""
        step = points_along_normals(points, *self._fitted.field.value_and_gradient(points)) - points
        length = step.norm(dim=1, keepdim=True).clamp_min(1e-12)
        return points + step * (self._step_max / length).clamp(max=1)


def _interpolate(values: torch.Tensor, corners: torch.Tensor, barycentric: torch.Tensor) -> torch.Tensor:
    """(T, C) of vertex values (N, C) within faces with `corners` (T, 3)."""
    return sum(barycentric[:, corner, None] * values[corners[:, corner]] for corner in range(3))
