"""Scans of known surfaces, with the errors of real ones, and the exact surface to compare with."""

import math

import numpy as np
import torch
from pydantic import Field

from isopts.config import StrictModel
from isopts.data.dual_contouring import dual_contour
from isopts.data.point_cloud import PointCloud
from isopts.data.synthetic_shapes import SignedDistance, project_onto, unit_gradients
from isopts.geometry.surface_sampling import SurfaceSamples, sample_surface
from isopts.geometry.triangle_mesh import TriangleMesh

_HALF_SIDE = 0.8  # of the cube around every shape
_SAMPLING_RESOLUTION = 96
_OUTLIER_MARGIN = 0.05  # by which outliers go beyond the surface's bounding box, as a share of its longest side


class ScanConfig(StrictModel):
    """Errors of a synthetic scan. Lengths are in the surface's unit; the synthetic shapes' longest side is 1.5."""

    points: int = Field(60_000, ge=1, description="number of points, outliers included")
    noise: float = Field(0.005, ge=0, description="standard deviation of every coordinate")
    normal_noise: float = Field(
        0.2, ge=0, description="standard deviation added to every component of the unit normals"
    )
    outliers: float = Field(0.02, ge=0, lt=1, description="share of points anywhere in the bounding box and around it")
    flipped: float = Field(0.0, ge=0, le=1, description="share of normals that point to the wrong side")
    normals: bool = Field(True, description="whether the scan has normals")
    density: float = Field(
        1.0, ge=1, le=100, description="ratio of the densities at the two ends of the longest side, exponential between"
    )
    seed: int = Field(0, ge=0, description="of all random choices")


def make_scan(shape: SignedDistance, config: ScanConfig, mesh: TriangleMesh | None = None) -> PointCloud:
    """Points on the zero set (exactly, before noise), uniform in area or as `density` says, then outliers; in random
    order.

    Args:
        mesh: reference mesh of the shape, where it is at hand; it is made otherwise.
    """
    samples = _spread(mesh or reference_mesh(shape, _SAMPLING_RESOLUTION), config)
    points = project_onto(shape, samples.points.numpy())
    return _with_errors(points, unit_gradients(shape, points), config)


def scan_mesh(mesh: TriangleMesh, config: ScanConfig) -> PointCloud:
    """The same from a triangle mesh, whose faces give the normals."""
    samples = _spread(mesh, config)
    return _with_errors(samples.points.numpy(), mesh.face_normals()[samples.faces.numpy()], config)


def reference_mesh(shape: SignedDistance, resolution: int = 192) -> TriangleMesh:
    """Closed mesh whose vertices lie on the surface to 1e-6, with exact normals; sharp edges are kept.

    Args:
        resolution: cells along a side of 1.6, a multiple of 4. Between the vertices the mesh is off by at most
            curvature times the squared cell size over 8. Vertices on a sharp edge have the normal of one side.
    """
    vertices, faces = dual_contour(shape, _HALF_SIDE, resolution)
    return TriangleMesh(vertices, faces, unit_gradients(shape, vertices).astype(np.float32))


def _spread(mesh: TriangleMesh, config: ScanConfig) -> SurfaceSamples:
    """The points that are not outliers: uniform candidates, kept with a probability that follows the density."""
    count = config.points - round(config.points * config.outliers)
    candidates = math.ceil(config.density * count)
    generator = torch.Generator().manual_seed(config.seed)
    samples = sample_surface(torch.from_numpy(mesh.vertices), torch.from_numpy(mesh.faces), candidates, generator)
    if config.density == 1:
        return samples
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    axis = int(np.argmax(high - low))
    along = (samples.points[:, axis] - low[axis]) / (high[axis] - low[axis])
    kept = torch.rand(candidates, generator=generator, dtype=torch.float64) <= config.density ** (along - 1)
    chosen = torch.nonzero(kept)[:, 0]
    chosen = chosen[torch.randperm(len(chosen), generator=generator)[:count]]
    return SurfaceSamples(samples.points[chosen], samples.faces[chosen])


def _with_errors(points: np.ndarray, normals: np.ndarray, config: ScanConfig) -> PointCloud:
    generator = np.random.default_rng(config.seed)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = _OUTLIER_MARGIN * (high - low).max()
    points = points + generator.normal(scale=config.noise, size=points.shape)
    normals = normals + generator.normal(scale=config.normal_noise, size=points.shape)
    normals[generator.random(len(normals)) < config.flipped] *= -1
    outliers = generator.uniform(low - margin, high + margin, size=(config.points - len(points), 3))
    points = np.concatenate([points, outliers])
    normals = np.concatenate([normals, generator.normal(size=outliers.shape)])
    order = generator.permutation(len(points))
    if not config.normals:
        return PointCloud(points[order])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return PointCloud(points[order], normals[order].astype(np.float32))
