"""What `isopts make-views` takes pictures of: a mesh, or a shape whose surface is known exactly."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from isopts.data.meshes import MESH_FORMATS, read_mesh
from isopts.data.synthetic import reference_mesh
from isopts.data.synthetic_shapes import SHAPES, SignedDistance, unit_gradients
from isopts.errors import InputError
from isopts.geometry.corner_normals import corner_normals
from isopts.geometry.frames import WorldToUnit
from isopts.geometry.sphere import Sphere
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.kernels.triangles import prepare_mesh
from isopts.render.procedural_texture import ProceduralTexture
from isopts.render.synthetic_view import SurfaceHits, VisibleSurface

_GREY = 0.7
_POINTS_AT_ONCE = 1 << 14  # a shape's many temporaries stay in the processor's cache
_FLAT = math.cos(
    math.radians(2)
)  # between corner and face: interpolated normals are exact to half a degree, 99 % of them

OfHits = Callable[[SurfaceHits], torch.Tensor]


@dataclass(frozen=True)
class ViewsSubject:
    """mesh: world frame. sphere: around its surface. shape: its formula, where it has one."""

    mesh: TriangleMesh
    sphere: Sphere
    shape: SignedDistance | None = None

    def points(self) -> np.ndarray:
        """(N, 3) corners of the faces, world; a mesh may have other vertices."""
        return self.mesh.vertices[np.unique(self.mesh.faces)]

    def surface(self, texture: ProceduralTexture | None) -> VisibleSurface:
        """For rendering in the frame of the sphere. Without texture the mesh has its own colours, or is grey."""
        frame = self.sphere.frame()
        vertices = (self.mesh.vertices - np.array(frame.center)) * frame.scale
        mesh = prepare_mesh(torch.from_numpy(vertices), torch.from_numpy(self.mesh.faces))
        face_normals = torch.from_numpy(self.mesh.face_normals()).float()
        corners = torch.from_numpy(corner_normals(self.mesh))
        normals = _interpolated(corners) if self.shape is None else _exact(corners, face_normals, self.shape, frame)
        return VisibleSurface(mesh, face_normals, normals, self._albedo(texture))

    def _albedo(self, texture: ProceduralTexture | None) -> OfHits:
        if texture is not None:
            return lambda hits: texture.albedo(hits.points)
        if self.mesh.colors is None:
            return lambda hits: torch.full_like(hits.points, _GREY)
        colors = torch.from_numpy(self.mesh.colors[self.mesh.faces]).float() / 255
        return lambda hits: _weighted(colors, hits)


def read_subject(source: str) -> ViewsSubject:
    """The mesh in the file `source`, or the shape of that name.

    Raises:
        InputError: neither of them, a file that is no mesh, or a mesh without extent.
    """
    if source in SHAPES:
        mesh, shape = reference_mesh(SHAPES[source]), SHAPES[source]
    elif Path(source).suffix.lower() in MESH_FORMATS:
        mesh, shape = read_mesh(source, needs_faces=True), None
    else:
        raise InputError(
            f"'{source}' is neither a mesh nor a shape; give a file that ends in {', '.join(MESH_FORMATS)}, or one of "
            f"{', '.join(SHAPES)}."
        )
    if not np.isfinite(mesh.vertices).all():
        raise InputError(f"'{source}' has vertices that are not finite; remove them and their faces.")
    sphere = Sphere.around(mesh.vertices[np.unique(mesh.faces)])
    if not sphere.radius > 0:
        raise InputError(f"'{source}' has all its vertices in one place; give a mesh with an extent.")
    return ViewsSubject(mesh, sphere, shape)


def _interpolated(corners: torch.Tensor) -> OfHits:
    return lambda hits: torch.nn.functional.normalize(_weighted(corners, hits), dim=1)


def _exact(corners: torch.Tensor, face_normals: torch.Tensor, shape: SignedDistance, frame: WorldToUnit) -> OfHits:
    """The shape's own normals where a face bends or has an edge, exact ones interpolated within the other faces."""
    interpolated = _interpolated(corners)
    bends = (corners * face_normals[:, None]).sum(dim=2).amin(dim=1) < _FLAT

    def normals(hits: SurfaceHits) -> torch.Tensor:
        found = interpolated(hits)
        at = torch.nonzero(bends[hits.faces])[:, 0]
        for some in at.split(_POINTS_AT_ONCE):
            found[some] = torch.from_numpy(unit_gradients(shape, frame.to_world(hits.points[some]))).float()
        return found

    return normals


def _weighted(corners: torch.Tensor, hits: SurfaceHits) -> torch.Tensor:
    """(N, 3) at hits, of values (F, 3, 3) at the faces' corners."""
    return (corners[hits.faces] * hits.barycentric[..., None]).sum(dim=1)
