"""How well each photograph shows each vertex of a mesh."""

from collections.abc import Callable

import torch
from torch.nn import functional

from isopts.geometry.cameras import Cameras
from isopts.kernels.triangles import PreparedMesh, cast_rays_at, prepare_mesh

_COSINE_MIN = 0.2  # more obliquely, an error of the surface shifts the colours too far
_LIFT = 0.05  # of an edge: where rays start above the surface that they leave

OnObject = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""views (R,), pixels (R, 2) -> (R,) bool: in the image and on its mask."""


def view_weights(
    vertices: torch.Tensor, normals: torch.Tensor, faces: torch.Tensor, cameras: Cameras, on_object: OnObject
) -> torch.Tensor:
    """(N, V): the squared cosine of the viewing angle times the pixels on a unit of area, relative to the best view.

    0 where a vertex or a vertex beside it is hidden, beside the mask, or seen too obliquely: interpolated over the
    faces, the weights fall to 0 before the surface becomes invisible, without a step.

    Args:
        vertices (N, 3), normals (N, 3) unit, outward, faces (F, 3): the mesh, float32, unit frame.
        cameras: V, float32, unit frame.
    """
    mesh = prepare_mesh(vertices, faces)
    edge = float((vertices[faces[:, 0]] - vertices[faces[:, 1]]).norm(dim=1).median())
    origins = vertices + _LIFT * edge * normals
    weights = [_one_view(mesh, vertices, normals, origins, cameras, view, on_object) for view in range(len(cameras))]
    weights = torch.stack(weights, dim=1)
    return weights / weights.max().clamp_min(1e-30)


def _one_view(
    mesh: PreparedMesh,
    vertices: torch.Tensor,
    normals: torch.Tensor,
    origins: torch.Tensor,
    cameras: Cameras,
    view: int,
    on_object: OnObject,
) -> torch.Tensor:
    """(N,) not yet relative."""
    camera = cameras.select([view])
    pixels, depths = (part[0] for part in camera.project(vertices))
    cosines = (functional.normalize(camera.centers() - vertices, dim=1) * normals).sum(dim=1)
    visible = (cosines > _COSINE_MIN) & (depths > 0)
    asked = torch.nonzero(visible)[:, 0]
    asked = asked[on_object(torch.full_like(asked, view), pixels[asked])]
    to_camera = camera.centers() - origins[asked]
    free = cast_rays_at(mesh, origins[asked], to_camera).distances > 1
    visible = torch.zeros_like(visible)
    visible[asked[free]] = True
    corners = mesh.corners.long()
    visible[corners[~visible[corners].all(dim=1)]] = False
    return torch.where(visible, cosines.square() * (camera.focal_lengths() / depths).square(), 0)
