"""A mesh whose bounding volume hierarchy is built once and asked many times."""

from typing import NamedTuple

import torch
import warp as wp

from isopts.errors import InputError
from isopts.kernels.launch import initialize
from isopts.kernels.triangles.kernel import build_mesh


class PreparedMesh(NamedTuple):
    """Made by `prepare_mesh`. bvh: Warp's mesh around the origin. center (3,): where that is, of the vertices' dtype.
    positions (V, 3) float32: vertices relative to it. corners (F, 3) int32."""

    bvh: wp.Mesh
    center: torch.Tensor
    positions: torch.Tensor
    corners: torch.Tensor

    def localize(self, points: torch.Tensor) -> torch.Tensor:
        """`points` (N, 3) relative to the mesh, float32: an offset is taken off before they are rounded."""
        return (points - self.center.to(points.dtype)).float().contiguous()


def prepare_mesh(vertices: torch.Tensor, faces: torch.Tensor) -> PreparedMesh:
    """Build the hierarchy, on the device of `vertices`.

    Args:
        vertices: (V, 3), finite.
        faces: (F, 3) integer corner indices, F > 0.

    Raises:
        InputError: the mesh has no faces, a corner index outside the vertices or a vertex that is not finite.
    """
    if len(faces) == 0:
        raise InputError("A mesh with faces is needed, got one without; give a triangle mesh or compare as points.")
    if faces.min() < 0 or faces.max() >= len(vertices):  # would crash Warp
        raise InputError(
            f"Faces must name vertices 0 ... {len(vertices) - 1}, got {int(faces.min())} ... {int(faces.max())}."
        )
    if not torch.isfinite(vertices).all():
        raise InputError("Vertices must be finite, got NaN or infinity; remove those vertices and their faces.")
    initialize()
    center = (vertices.amin(dim=0) + vertices.amax(dim=0)) / 2
    positions, corners = (vertices - center).float().contiguous(), faces.to(torch.int32).contiguous()
    return PreparedMesh(build_mesh(positions, corners.flatten()), center, positions, corners)
