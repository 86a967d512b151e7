"""How far the part of the exact surface that the cameras see is from a mesh."""

from pathlib import Path

import numpy as np
import torch

from isopts.data.meshes import read_mesh
from isopts.data.views import read_views
from isopts.geometry.surface_sampling import sample_surface
from isopts.kernels.triangles import cast_rays_at, closest_points, prepare_mesh

_SAMPLES = 20_000
_VIEWS_MIN = 2
_TOLERANCE = 1e-3  # of the distance to the camera


def seen_error(mesh: Path, views: Path) -> float:
    """Mean distance to `mesh` from the places of `views`/reference.ply that two cameras see; world units."""
    reference, cameras = read_mesh(views / "reference.ply", needs_faces=True), read_views(views).cameras
    vertices, faces = torch.from_numpy(reference.vertices), torch.from_numpy(reference.faces)
    points, _ = sample_surface(vertices, faces, _SAMPLES, torch.Generator().manual_seed(0))
    prepared, counts = prepare_mesh(vertices, faces), torch.zeros(len(points), dtype=torch.int64)
    pixels, _ = cameras.project(points)
    for center, size, places in zip(cameras.centers(), cameras.sizes, pixels, strict=True):
        found = cast_rays_at(prepared, center.expand_as(points), points - center)
        inside = ((places > -0.5) & (places < size - 0.5)).all(dim=1)
        counts += inside & (found.distances > 1 - _TOLERANCE)
    fitted = read_mesh(mesh, needs_faces=True)
    seen = points[counts >= _VIEWS_MIN]
    found = closest_points(seen, torch.from_numpy(np.asarray(fitted.vertices)), torch.from_numpy(fitted.faces))
    return float(found.distances.mean())
