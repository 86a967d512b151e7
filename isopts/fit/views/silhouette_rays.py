"""Rays just beside the silhouettes, inside and outside: where a wrong surface shows first."""

from typing import NamedTuple

import torch
from torch.nn import functional

from isopts.geometry.cameras import Cameras
from isopts.geometry.silhouette_maps import SilhouetteMaps

_NEAR_PIXELS = 5.0  # of the maps
_COUNT, _FAR_COUNT = 60_000, 15_000  # of each kind


class RayBundle(NamedTuple):
    """origins (R, 3) and unit directions (R, 3), unit frame; views (R,) int64, whose pixels they pass."""

    origins: torch.Tensor
    directions: torch.Tensor
    views: torch.Tensor

    def moved(self, before: Cameras, after: Cameras) -> "RayBundle":
        """Through the same pixels of cameras that were `before` and are `after`."""
        turns = (after.backprojections() @ before.projections()[:, :, :3]).to(self.directions)
        directions = torch.einsum("nij,nj->ni", turns[self.views], self.directions)
        origins = after.centers().to(self.origins)[self.views]
        return RayBundle(origins, functional.normalize(directions, dim=1), self.views)


class SilhouetteRays(NamedTuple):
    """outside: rays that pass the object; inside: rays that meet it."""

    outside: RayBundle
    inside: RayBundle

    def moved(self, before: Cameras, after: Cameras) -> "SilhouetteRays":
        """Through the same pixels of cameras (float64) that were `before` and are `after`."""
        return SilhouetteRays(*(bundle.moved(before, after) for bundle in self))

    def to(self, device: torch.device) -> "SilhouetteRays":
        return SilhouetteRays(*(RayBundle(*(part.to(device) for part in bundle)) for bundle in self))

    def without(self, view: int) -> "SilhouetteRays":
        """Those of the other views."""
        return SilhouetteRays(*(RayBundle(*(part[bundle.views != view] for part in bundle)) for bundle in self))


def silhouette_rays(maps: SilhouetteMaps, cameras: Cameras, generator: torch.Generator) -> SilhouetteRays:
    """Random pixels of the maps within five pixels of the silhouette, the nearer the likelier, and some anywhere.

    Args:
        maps: of V masks. cameras: of the masks, unit frame.
    """
    return SilhouetteRays(*(_bundle(maps, cameras, sign, generator) for sign in (1.0, -1.0)))


def no_rays(device: torch.device) -> SilhouetteRays:
    """Of images without masks."""
    nowhere = torch.zeros((0, 3), device=device)
    none = RayBundle(nowhere, nowhere, torch.zeros(0, dtype=torch.int64, device=device))
    return SilhouetteRays(none, none)


def _bundle(maps: SilhouetteMaps, cameras: Cameras, sign: float, generator: torch.Generator) -> RayBundle:
    """sign: 1 for outside, -1 for inside."""
    distances = sign * maps.maps
    near = torch.nonzero((distances > 0) & (distances < _NEAR_PIXELS))[:, 0]
    far = torch.nonzero((distances >= _NEAR_PIXELS) & distances.isfinite())[:, 0]
    # exponential races: the smallest of t * distance are a sample with weights 1 / distance
    races = -torch.rand(len(near), generator=generator).clamp_min(1e-12).log() * distances[near].clamp_min(0.5)
    near = near[races.topk(min(_COUNT, len(near)), largest=False).indices]
    if len(far) > _FAR_COUNT:
        far = far[torch.randint(len(far), (_FAR_COUNT,), generator=generator)]
    views, pixels = maps.pixels(torch.cat((near, far)))
    origins, directions = cameras.rays(views, pixels)
    return RayBundle(origins.float(), directions.float(), views)
