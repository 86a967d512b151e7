"""What a step of a fit of posed images draws from the surface as it is: surfels, and places on, beside and off it."""

import torch
from torch.nn import functional

from isopts.fit.starts.cloud import beyond_region
from isopts.fit.views.config import MvrConfig
from isopts.fit.views.surfels import Surfels
from isopts.isopoints.project import ValueAndGradient, project
from isopts.render.implicit_points import points_along_normals

NEAR_SURFACE = 0.03
"""Unit frame: around the surface, for the eikonal term and for rays beside the silhouettes."""

_DOMAIN = 0.95  # half side of the cube of points anywhere
_FOLLOWED = 0.02  # longest way that a surfel follows the surface at once
_ERROR_MEMORY = 0.7  # share of a surfel's old error that a new one leaves


class SurfaceDraws:
    """Draws from `surfels` by a generator of the CPU, so that every device draws the same numbers."""

    def __init__(self, config: MvrConfig, generator: torch.Generator, device: torch.device):
        self._config, self._generator, self._device = config, generator, device
        self.surfels: Surfels | None = None
        """The current iso-points; set by `use`."""
        self._seen = torch.zeros(0, dtype=torch.int64, device=device)

    @property
    def count(self) -> int:
        """Of surfels."""
        return 0 if self.surfels is None else len(self.surfels.points)

    def use(self, surfels: Surfels | None) -> None:
        """Draw from these from now on."""
        self.surfels = surfels
        if surfels is not None:
            self._seen = torch.nonzero((surfels.cosines > 0).any(dim=1))[:, 0]

    def numbers(self, count: int) -> torch.Tensor:
        """(count,) of surfels that some view sees; of any where none does; (0,) before there are any."""
        if self.surfels is None:
            return torch.zeros(0, dtype=torch.int64, device=self._device)
        seen = self._seen if len(self._seen) else torch.arange(self.count, device=self._device)
        return seen[self.choose(len(seen), count)]

    def positions(self, chosen: torch.Tensor, value_and_gradient: ValueAndGradient) -> torch.Tensor:
        """(B, 3) of surfels (B,), jittered along the surface where the configuration says so."""
        if len(chosen) == 0:
            return self._nowhere()
        config, points = self._config.isopoints, self.surfels.points[chosen]
        if config.jitter == 0:
            return points
        jitter = 2 * torch.rand(points.shape, generator=self._generator).to(points) - 1
        found = project(value_and_gradient, points + config.jitter * jitter, config.extraction.projection)
        return torch.where(found.converged[:, None], found.points, points)

    def space(self) -> torch.Tensor:
        """(S, 3) around the surface and anywhere, half of each, for the eikonal term."""
        count = self._config.sampling.eikonal if self._config.losses.eikonal > 0 else 0
        anywhere = _DOMAIN * (2 * torch.rand((count - count // 2, 3), generator=self._generator) - 1)
        anywhere = anywhere.to(self._device)
        if self.surfels is None:
            return anywhere
        near = self._beside(self.surfels.points[self.choose(self.count, count // 2)], NEAR_SURFACE)
        return torch.cat((near, anywhere))

    def bends(self) -> torch.Tensor:
        """(2 P, 3): surfels, and a place near each of them, for the curvature term."""
        if self.surfels is None or self._config.losses.curvature == 0:
            return self._nowhere()
        points = self.surfels.points[self.choose(self.count, self._config.sampling.curvature)]
        return torch.cat((points, self._beside(points, self._config.losses.curvature_distance)))

    def follow(self, chosen: torch.Tensor, values: torch.Tensor, gradients: torch.Tensor) -> None:
        """Move surfels (B,) to where the surface is now, by the field's values (B,) and gradients (B, 3) at them:
        between extractions they would lag behind it where it moves, which is where it matters."""
        values, gradients = values.detach().clamp(-_FOLLOWED, _FOLLOWED), gradients.detach()
        moved = points_along_normals(self.surfels.points[chosen], values, gradients)
        self.surfels.points[chosen] = moved.clamp(-1, 1)
        self.surfels.normals[chosen] = functional.normalize(gradients, dim=1)

    def remember(self, chosen: torch.Tensor, errors: torch.Tensor) -> None:
        """Blend new errors (B,) of surfels (B,) into their running means."""
        kept = self.surfels.errors
        blended = _ERROR_MEMORY * kept[chosen] + (1 - _ERROR_MEMORY) * errors
        kept[chosen] = torch.where(kept[chosen] > 0, blended, errors)

    def beyond_region(self, count: int) -> torch.Tensor:
        """(count, 3) around the region of interest."""
        return beyond_region(count, self._generator).to(self._device)

    def choose(self, population: int, count: int) -> torch.Tensor:
        """(count,) numbers below `population`."""
        return torch.randint(population, (count,), generator=self._generator).to(self._device)

    def _beside(self, points: torch.Tensor, deviation: float) -> torch.Tensor:
        noise = torch.randn(points.shape, generator=self._generator).to(points)
        return (points + deviation * noise).clamp(-1, 1)

    def _nowhere(self) -> torch.Tensor:
        return torch.zeros((0, 3), device=self._device)
