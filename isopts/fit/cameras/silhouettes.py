"""Sightings of silhouettes: how far the surface's outline is from the masks', for where nothing else can be tracked."""

from typing import NamedTuple

import torch
from torch.nn import functional

from isopts.geometry.bundle_adjustment import Sightings
from isopts.geometry.cameras import Cameras
from isopts.geometry.silhouette_maps import SilhouetteMaps
from isopts.isopoints.project import ValueAndGradient
from isopts.kernels.grid_rays import march_rays

_NEAR_PIXELS = 1.0  # of the maps
_PER_VIEW = 100
_DEVIATION_PIXELS = 1.5  # of an outline: the surface that it is compared with follows wrong masks, too
_UNKNOWN_PIXELS = 1e3  # along an outline
_REACH = 0.1  # unit frame: an outline farther away is of something else


class OutlinePixels(NamedTuple):
    """Pixels next to silhouettes: views (R,) int64, pixels (R, 2) of the images at full size, column and row, distances
    (R,) signed to the silhouette in these pixels, positive outside. float64, on the CPU."""

    views: torch.Tensor
    pixels: torch.Tensor
    distances: torch.Tensor

    def of_views(self, chosen: torch.Tensor) -> "OutlinePixels":
        """Those of the chosen ones (V,) bool."""
        return OutlinePixels(*(part[chosen[self.views]] for part in self))


def outline_pixels(maps: SilhouetteMaps, generator: torch.Generator) -> OutlinePixels:
    """Some of every view, by chance."""
    near = torch.nonzero(maps.maps.abs() < _NEAR_PIXELS)[:, 0]
    near = near[torch.randperm(len(near), generator=generator)]
    views = torch.searchsorted(maps.first, near, right=True) - 1
    order = views.argsort(stable=True)
    near, views = near[order], views[order]
    starts = torch.searchsorted(views, torch.arange(len(maps)))
    chosen = torch.arange(len(views)) - starts[views] < _PER_VIEW
    near = near[chosen]
    views, pixels = maps.pixels(near)
    return OutlinePixels(views, pixels, maps.maps[near].double() * maps.factors[views])


@torch.no_grad()
def outline_sightings(
    outline: OutlinePixels, exact: Cameras, images: Cameras, value_and_gradient: ValueAndGradient, grid: torch.Tensor
) -> tuple[torch.Tensor, Sightings]:
    """Points of the surface (M, 3) where rays next to silhouettes pass it most closely, and one sighting of each, in
    pixels of the images: where the point would be if the mask were right. It is uncertain along the outline.

    Args:
        exact: cameras for the images at full size, images: those for the fitted images; unit frame, float64.
        grid: sampled copy of the field.
    """
    origins, directions = (part.float().to(grid.device) for part in exact.rays(outline.views, outline.pixels))
    found = march_rays(grid, origins, directions)
    near = found.nearest.isfinite() & (found.smallest.abs() < _REACH)
    closest = (origins + found.nearest[:, None] * directions)[near]
    values, gradients = (part.detach() for part in value_and_gradient(closest))
    normals = functional.normalize(gradients, dim=1).double().cpu()
    values = values.double().cpu() / gradients.norm(dim=1).double().cpu().clamp_min(0.1)
    near = near.cpu()
    points, views = closest.double().cpu() - values[:, None] * normals, outline.views[near]
    at, beside = (images.project_each(some, views[:, None])[:, 0] for some in (points, points + 1e-4 * normals))
    outward = functional.normalize(beside - at, dim=1)
    depths = torch.einsum("nj,nj->n", images.rotations[views, 2], points) + images.translations[views, 2]
    focal = images.focal_lengths()[views]
    wanted = outline.distances[near] * focal / exact.focal_lengths()[views]
    pixels = at + (values * focal / depths - wanted)[:, None] * outward
    across = outward[:, :, None] * outward[:, None, :]
    eye = torch.eye(2, dtype=torch.float64)
    covariances = _DEVIATION_PIXELS**2 * across + _UNKNOWN_PIXELS**2 * (eye - across)
    return points, Sightings(views[:, None], pixels[:, None], covariances[:, None])
