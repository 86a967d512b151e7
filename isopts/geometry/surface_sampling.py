"""Random points on a triangle mesh, uniform by area."""

from typing import NamedTuple

import torch

from isopts.errors import InputError


class SurfaceSamples(NamedTuple):
    """points (N, 3) on the surface, in the dtype of the vertices; faces (N,) int64, ascending: where each one lies."""

    points: torch.Tensor
    faces: torch.Tensor


def sample_surface(
    vertices: torch.Tensor, faces: torch.Tensor, count: int, generator: torch.Generator
) -> SurfaceSamples:
    """`count` points on the triangles `faces` (F, 3) of `vertices` (V, 3).

    Stratified: a face with an area of a share s gets floor or ceil of s * count points, which lets means over the
    surface vary less than independent draws. `generator` lives on the CPU; the points are the same on each device.

    Raises:
        InputError: the faces have no area.
    """
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    total = torch.linalg.cross(b - a, c - a).norm(dim=1).double().cumsum(0)
    if len(faces) == 0 or not float(total[-1]) > 0:
        raise InputError("Cannot sample a mesh without area; give one with faces that are not degenerate.")
    random = torch.rand((count, 3), generator=generator, dtype=torch.float64).to(vertices.device)
    at = (torch.arange(count, device=vertices.device) + random[:, 0]) * (total[-1] / max(count, 1))
    face = torch.searchsorted(total, at, right=True).clamp(max=len(faces) - 1)
    root, across = random[:, 1].sqrt(), random[:, 2]
    weights = torch.stack([1 - root, root * (1 - across), root * across], dim=1).to(vertices.dtype)
    points = weights[:, :1] * a[face] + weights[:, 1:2] * b[face] + weights[:, 2:] * c[face]
    return SurfaceSamples(points, face)
