"""Scans of known shapes, with the errors of real ones, and the exact surface to compare with."""

import numpy as np
import torch
from pydantic import Field
from skimage.measure import marching_cubes

from isopts.config import StrictModel
from isopts.data.point_cloud import PointCloud
from isopts.data.synthetic_shapes import SignedDistance, project_onto, unit_gradients
from isopts.geometry.surface_sampling import sample_surface
from isopts.geometry.triangle_mesh import TriangleMesh

_HALF_SIDE = 0.8  # of the cube around every shape
_SAMPLING_RESOLUTION = 96


class ScanConfig(StrictModel):
    """Errors of a synthetic scan. Lengths are in the shape's unit, in which its longest side is 1.5."""

    points: int = Field(60_000, ge=1, description="number of points, outliers included")
    noise: float = Field(0.005, ge=0, description="standard deviation of every coordinate")
    normal_noise: float = Field(
        0.2, ge=0, description="standard deviation added to every component of the unit normals"
    )
    outliers: float = Field(0.02, ge=0, lt=1, description="share of points anywhere in the bounding cube")
    seed: int = Field(0, ge=0, description="of all random choices")


def make_scan(shape: SignedDistance, config: ScanConfig) -> PointCloud:
    """Points spread evenly over the surface (exactly on it before noise), then outliers, in random order."""
    generator = np.random.default_rng(config.seed)
    outlier_count = round(config.points * config.outliers)
    points = _sample_surface(shape, config.points - outlier_count, config.seed)
    normals = unit_gradients(shape, points)
    points += generator.normal(scale=config.noise, size=points.shape)
    normals += generator.normal(scale=config.normal_noise, size=points.shape)
    outliers = generator.uniform(-_HALF_SIDE, _HALF_SIDE, size=(outlier_count, 3))
    points = np.concatenate([points, outliers])
    normals = np.concatenate([normals, generator.normal(size=outliers.shape)])
    order = generator.permutation(config.points)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return PointCloud(points[order], normals[order].astype(np.float32))


def reference_mesh(shape: SignedDistance, resolution: int = 192) -> TriangleMesh:
    """Closed mesh whose vertices lie exactly on the surface, with exact normals.

    Args:
        resolution: cells along a side of 1.6. Between the vertices the mesh is off by at most curvature times the
            squared cell size over 8.
    """
    axis = np.linspace(-_HALF_SIDE, _HALF_SIDE, resolution + 1)
    slabs = [np.stack(np.meshgrid([x], axis, axis, indexing="ij"), axis=-1).reshape(-1, 3) for x in axis]
    volume = np.stack([shape(slab).reshape(len(axis), len(axis)) for slab in slabs])
    vertices, faces, _, _ = marching_cubes(volume, 0.0, spacing=(axis[1] - axis[0],) * 3, gradient_direction="descent")
    vertices = project_onto(shape, vertices.astype(np.float64) - _HALF_SIDE)
    return TriangleMesh(vertices, faces, unit_gradients(shape, vertices).astype(np.float32))


def _sample_surface(shape: SignedDistance, count: int, seed: int) -> np.ndarray:
    """(count, 3) points, uniform in area: drawn on a mesh and projected."""
    mesh = reference_mesh(shape, _SAMPLING_RESOLUTION)
    vertices, faces = torch.from_numpy(mesh.vertices), torch.from_numpy(mesh.faces)
    samples = sample_surface(vertices, faces, count, torch.Generator().manual_seed(seed))
    return project_onto(shape, samples.points.numpy())
