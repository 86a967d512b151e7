"""Distances from one shape's samples to another shape."""

from dataclasses import dataclass

import torch

from isopts.evaluate.shapes import Samples, Shape
from isopts.kernels.neighbors import nearest_neighbors
from isopts.kernels.triangles import closest_points


@dataclass(frozen=True)
class Directed:
    """From samples to the nearest place of a shape: distances (S,), and the cosine (S,) between the normals of
    sample and place, None where one of the two has no normals."""

    distances: torch.Tensor
    cosines: torch.Tensor | None


def directed_distances(samples: Samples, shape: Shape) -> Directed:
    """Exact distances to the triangles, or to the nearest point of a cloud."""
    if shape.faces is not None:
        nearest = closest_points(samples.points, shape.points, shape.faces)
        distances, normals = nearest.distances, shape.face_normals(nearest.faces)
    else:
        found = nearest_neighbors(samples.points, shape.points, 1)
        distances = found.squared_distances[:, 0].sqrt()
        normals = None if shape.normals is None else shape.normals[found.indices[:, 0]]
    if normals is None or samples.normals is None:
        return Directed(distances, None)
    return Directed(distances, (samples.normals * normals).sum(dim=1))


def spacing(points: torch.Tensor) -> torch.Tensor:
    """Distance (N,) of each point to its nearest other one."""
    return nearest_neighbors(points, points, 2).squared_distances[:, 1].clamp_min(0).sqrt()
