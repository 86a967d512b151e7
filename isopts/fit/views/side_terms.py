"""Places that are known to be outside or inside of the object, and the terms that put them there."""

from typing import NamedTuple

import torch

from isopts.field.build import Field
from isopts.fit.schedule import doublings
from isopts.fit.starts.cloud import REGION
from isopts.fit.views import view_losses
from isopts.fit.views.config import MvrConfig
from isopts.fit.views.silhouette_rays import RayBundle, SilhouetteRays
from isopts.fit.views.surface_draws import NEAR_SURFACE, SurfaceDraws
from isopts.kernels.grid_rays import march_rays


class KnownSides(NamedTuple):
    """Besides rays: places outside (N, 3) and inside (M, 3), unit frame; and values (F,), evaluated by then, that are
    to be positive."""

    outside: torch.Tensor
    inside: torch.Tensor
    free_values: torch.Tensor


class SideTerms:
    """The terms `silhouette` and `mask` of the configuration."""

    def __init__(self, field: Field, config: MvrConfig, draws: SurfaceDraws):
        self._field, self._losses, self._draws = field, config.losses, draws
        self._count = config.sampling.silhouettes // 2
        self._enabled = max(config.losses.silhouette, config.losses.mask) > 0

    def losses(
        self, rays: SilhouetteRays, known: KnownSides, grid: torch.Tensor, progress: float
    ) -> dict[str, torch.Tensor]:
        """Weighted terms of random rays beside the silhouettes and of what is known. grid: copy of the field."""
        if not self._enabled:
            return {}
        outside = torch.cat((self._smallest(rays.outside, grid, 1.0), known.outside))
        inside = torch.cat((self._smallest(rays.inside, grid, -1.0), known.inside))
        values = self._field.value(torch.cat((outside, inside)))
        outside_values, inside_values = values.split([len(outside), len(inside)])
        outside_values = torch.cat((outside_values, known.free_values))
        config, terms = self._losses, {}
        if config.silhouette > 0:
            terms["silhouette"] = config.silhouette * view_losses.side_loss(outside_values, inside_values)
        if config.mask > 0:
            sharpness = doublings(progress, config.mask_sharpness, config.mask_sharpness_final or config.mask_sharpness)
            terms["mask"] = config.mask * view_losses.mask_loss(outside_values, inside_values, sharpness)
        return terms

    def beyond_region(self) -> torch.Tensor:
        """(S,) f less the distance to the region at random places beyond it, which is negative on the wrong side."""
        points = self._draws.beyond_region(self._count if self._enabled else 0)
        return self._field.value(points) - (points.norm(dim=1) - REGION)

    def _smallest(self, bundle: RayBundle, grid: torch.Tensor, side: float) -> torch.Tensor:
        """Places (M, 3) of the smallest value on random rays, those where it is wrong or nearly so. side: its sign."""
        if len(bundle.origins) == 0:
            return bundle.origins
        chosen = self._draws.choose(len(bundle.origins), self._count)
        origins, directions = bundle.origins[chosen], bundle.directions[chosen]
        found = march_rays(grid, origins, directions)
        kept = (side * found.smallest < NEAR_SURFACE) & found.nearest.isfinite()
        return (origins + found.nearest[:, None] * directions)[kept]
