"""What is compared: a mesh or a cloud, as tensors relative to a common origin."""

from dataclasses import dataclass

import numpy as np
import torch

from isopts.geometry.surface_sampling import sample_surface
from isopts.geometry.triangle_mesh import TriangleMesh


@dataclass(frozen=True)
class Shape:
    """points (N, 3) float64: a cloud, or the vertices of a mesh. faces (F, 3) int64, or None for a cloud.
    normals (N, 3) float64 unit, or None; those of a mesh are not used, its faces have their own."""

    points: torch.Tensor
    faces: torch.Tensor | None = None
    normals: torch.Tensor | None = None

    def face_normals(self, faces: torch.Tensor) -> torch.Tensor:
        """Unit normals (N, 3) of the faces with the given numbers (N,); 0 for a face without area."""
        a, b, c = (self.points[self.faces[faces, corner]] for corner in range(3))
        return torch.nn.functional.normalize(torch.linalg.cross(b - a, c - a), dim=1, eps=1e-300)

    def diagonal(self) -> float:
        """Length of the bounding box's diagonal."""
        return float((self.points.amax(dim=0) - self.points.amin(dim=0)).norm())


@dataclass(frozen=True)
class Samples:
    """Points (S, 3) that stand for a shape, with its unit normals (S, 3) there, or None."""

    points: torch.Tensor
    normals: torch.Tensor | None


def as_shape(mesh: TriangleMesh, origin: np.ndarray) -> Shape:
    """Tensors relative to `origin` (3,): distances between geo-referenced surfaces keep their digits."""
    if len(mesh.faces):  # vertices that no face uses are no surface
        used, corners = np.unique(mesh.faces, return_inverse=True)
        faces = torch.from_numpy(corners.reshape(mesh.faces.shape))
        return Shape(torch.from_numpy(mesh.vertices[used] - origin), faces)
    points = torch.from_numpy(mesh.vertices - origin)
    if mesh.normals is None:
        return Shape(points)
    return Shape(points, None, torch.nn.functional.normalize(torch.from_numpy(mesh.normals).double(), dim=1))


def sample_shape(shape: Shape, count: int, generator: torch.Generator) -> Samples:
    """`count` points uniform by area; of a cloud all its points, or a random `count` of more."""
    if shape.faces is not None:
        points, face = sample_surface(shape.points, shape.faces, count, generator)
        return Samples(points, shape.face_normals(face))
    if len(shape.points) <= count:
        return Samples(shape.points, shape.normals)
    chosen = torch.randperm(len(shape.points), generator=generator)[:count].sort().values
    return Samples(shape.points[chosen], None if shape.normals is None else shape.normals[chosen])
