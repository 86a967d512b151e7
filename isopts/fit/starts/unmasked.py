"""The surface before the first step where there are no masks."""

import torch
from torch import nn

from isopts.fit.clouds.prepared_cloud import PreparedCloud
from isopts.fit.starts.cloud import start_as_cloud
from isopts.fit.starts.swept_cloud import swept_cloud
from isopts.fit.views.image_stack import ImageStack
from isopts.geometry.frames import WorldToUnit
from isopts.geometry.noise import noise_and_support
from isopts.geometry.spacing import areas

_FEWEST = 200  # points that make a start


def start_without_masks(
    field: nn.Module,
    images: ImageStack,
    prior: PreparedCloud | None,
    frame: WorldToUnit,
    steps: int,
    generator: torch.Generator,
) -> str:
    """Fit `field` to depths that agree between the images, and to points that are known to lie on the surface. Without
    enough of both it stays the sphere that it is. Returns a sentence about it."""
    cloud, swept = start_cloud(images, prior, frame)
    if len(cloud.points) < _FEWEST:
        return "The images agree on too little to start from: it starts as a sphere."
    error = start_as_cloud(field, cloud, steps, generator)
    added = len(cloud.points) - swept
    known = f" and {added:,} known points" if added else ""
    return f"It starts as the surface through {swept:,} depths that agree{known}, off by {error:.1e}."


def start_cloud(images: ImageStack, prior: PreparedCloud | None, frame: WorldToUnit) -> tuple[PreparedCloud, int]:
    """Oriented points, unit frame, and how many of them, the first ones, are depths of the images."""
    points, normals = swept_cloud(images)
    swept = len(points)
    if prior is not None:
        points, normals = torch.cat((points, prior.points)), torch.cat((normals, prior.normals))
    if len(points) < _FEWEST:
        return PreparedCloud(points, normals, 0.0, 1.0, frame), swept
    noise = noise_and_support(points, normals).deviation
    return PreparedCloud(points, normals, noise, float(areas(points, k=16).median().sqrt()), frame), swept
