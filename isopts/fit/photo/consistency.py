"""Photo-consistency of iso-points as surfels (METHOD section 4b, step 2)."""

import math
from collections.abc import Mapping

import torch
from torch.nn import functional

from isopts.fit.photo.baselines import comparison_limits
from isopts.fit.photo.carving import Value, find_free_points
from isopts.fit.photo.surfel_views import choose_surfel_views
from isopts.fit.photo.surroundings import seen_surroundings
from isopts.fit.photo.view_agreement import ViewAgreement
from isopts.fit.schedule import stage
from isopts.fit.stored_state import stored_tensor
from isopts.fit.views import view_losses
from isopts.fit.views.config import MvrConfig
from isopts.fit.views.image_stack import image_pyramid, with_cameras
from isopts.fit.views.prepared_views import PreparedViews
from isopts.fit.views.surfels import Surfels
from isopts.geometry.curvature import Gradient, shape_operators
from isopts.kernels.patch_consistency import INVALID, PatchLimits, PatchViews, patch_consistency
from isopts.render.implicit_points import points_along_normals

_CARVE_LEVEL = 1  # of the pyramid: half size
_DRAWN_SHARE = 0.2  # of the free points, in each step
_DETRENDED_CONTRAST = 0.5  # of the least contrast: so much is left without what is linear
_FREE, _BENDS, _SEEING = "free_points", "surfel_bends", "surfel_surroundings_seen"  # in a checkpoint


class PhotoConsistency:
    """The term's images, at every size, the choice of views, and how well these agree."""

    def __init__(
        self,
        views: PreparedViews,
        config: MvrConfig,
        generator: torch.Generator,
        pyramid: list[PatchViews] | None = None,
    ):
        """pyramid: of the images, where there is one already, of enough levels and whatever cameras."""
        self._config, self._weight, self._generator = config.photo, config.losses.photo, generator
        levels = len(config.photo.levels) + 1
        self._pyramid = image_pyramid(views.images, levels) if pyramid is None else pyramid[:levels]
        self.use(views)
        self.agreement = ViewAgreement(len(views.fitted), views.images.masks.device)
        self.free_points = torch.zeros((0, 3), device=views.images.masks.device)
        """(M, 3) known to be in free space, of the last looks behind the surface."""
        self._bends = torch.zeros((0, 3, 3), device=views.images.masks.device)  # of the surfels; none: they are flat
        self._seeing = torch.zeros((0, len(views.fitted)), dtype=torch.bool, device=views.images.masks.device)

    def use(self, views: PreparedViews) -> None:
        """The same images, with other cameras."""
        self._pyramid, self._pixel = with_cameras(self._pyramid, views.cameras), views.pixel
        self._limits = comparison_limits(views.cameras)

    def tensors(self) -> dict[str, torch.Tensor]:
        """For a checkpoint."""
        parts = {_FREE: self.free_points, _BENDS: self._bends, _SEEING: self._seeing.float()}
        return self.agreement.tensors() | {name: part for name, part in parts.items() if len(part)}

    def restore(self, tensors: Mapping[str, torch.Tensor], surfels: int, source: str) -> None:
        """Continue where a checkpoint was taken, with so many surfels. Raises InputError, which names `source`, where
        it is damaged."""
        self.agreement.restore(tensors, source)
        if _FREE in tensors:
            self.free_points = stored_tensor(tensors, _FREE, (-1, 3), source).to(self.free_points)
        if _BENDS in tensors:
            self._bends = stored_tensor(tensors, _BENDS, (surfels, 3, 3), source).to(self._bends)
        if _SEEING in tensors:
            shape = (surfels, self._seeing.shape[1])
            self._seeing = stored_tensor(tensors, _SEEING, shape, source).to(self._seeing)

    def level(self, progress: float) -> int:
        """Of the image pyramid, 0 the finest."""
        return min(len(self._config.levels) - stage(progress, self._config.levels), len(self._pyramid) - 1)

    @torch.no_grad()
    def use_surfels(self, surfels: Surfels, gradient: Gradient, progress: float) -> None:
        """Patches of these are as curved as the surface is now, and compared by the views that see nearly all of it."""
        pixel, config = self._pixel * 2 ** self.level(progress), self._config
        if config.bend_pixels > 0:
            self._bends = shape_operators(gradient, surfels.points, surfels.normals, config.bend_pixels * pixel)
        visible, radius = surfels.cosines > 0, config.half_size * pixel
        self._seeing = seen_surroundings(surfels.points, visible, radius, config.seen_share, self._generator)

    def loss(
        self,
        chosen: torch.Tensor,
        cosines: torch.Tensor,
        points: torch.Tensor,
        values: torch.Tensor,
        gradients: torch.Tensor,
        progress: float,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Weighted term of surfels, and 1 - NCC of the views that agree best about each (N,), -1: none compares it.

        Args:
            chosen: (N,) numbers of the surfels. cosines: (N, V), how squarely the views see them. points: (N, 3).
            values (N,), gradients (N, 3): of the field there.

        A coarser level weighs more, by the root of its pixel: its gradients are smaller. The gradient along the normal
        is limited to a few over a pixel: beyond, NCC is no longer a parabola around its maximum.
        """
        level = self.level(progress)
        views = self._pyramid[level]
        noise = torch.rand(cosines.shape, generator=self._generator).to(points)
        if len(self._seeing):
            cosines = torch.where(self._seeing[chosen], cosines, 0)
        references, sources = choose_surfel_views(points, cosines, views.centers, noise, self._limits)
        weight = self._weight * 2 ** (level / 2)
        surface = points_along_normals(points, values, gradients)
        limit = self._config.offset_gradient_pixels / (self._pixel * 2**level)
        surface = view_losses.limit_gradient(surface, weight * limit / len(points))
        normals = functional.normalize(gradients, dim=1)
        bends = self._bends[chosen] if len(self._bends) else None
        limits = PatchLimits(self._config.half_size)
        if level < self._config.detrended_levels:
            limits = limits._replace(contrast_min=_DETRENDED_CONTRAST * limits.contrast_min, detrend=True)
        scores = patch_consistency(surface, normals, references, sources, views, limits, bends)
        if self._config.agreement_min > 0:
            self.agreement.add(references, sources, scores.detach())
        floor = self._config.floors[len(self._config.levels) - level]
        best = scores.detach().amax(dim=1)
        disagreements = torch.where(best > INVALID, 1 - best, -1)
        loss = view_losses.photo_loss(scores, floor, self._config.best, self._config.tolerance)
        return weight * loss, disagreements

    def look_behind(self, surfels: Surfels, value: Value, extraction: int, progress: float) -> None:
        """Find space in front of surfaces behind the present one, while the fit is young enough to move there.
        extraction: number of the surfels', from 0."""
        carve, level = self._config.carve, min(_CARVE_LEVEL, len(self._pyramid) - 1)
        if carve.depth == 0 or extraction >= carve.looks or progress > carve.until:
            self.free_points = self.free_points[:0]
            return
        place = self._pyramid[level], self._pixel * 2**level
        self.free_points = find_free_points(
            surfels, value, *place, self.free_points, carve, self._generator, first=extraction == 0
        )

    def drawn_free_points(self) -> torch.Tensor:
        """(F, 3) some of the free points: a share of them, lest the few that are left push the harder."""
        count = min(self._config.carve.points, math.ceil(_DRAWN_SHARE * len(self.free_points)))
        if count == 0:
            return self.free_points
        index = torch.randint(len(self.free_points), (count,), generator=self._generator)
        return self.free_points[index.to(self.free_points.device)]
