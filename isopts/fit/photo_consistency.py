"""Photo-consistency of iso-points as surfels (METHOD section 4b, step 2)."""

import torch
from torch.nn import functional

from isopts.fit import view_losses
from isopts.fit.image_stack import image_pyramid, with_cameras
from isopts.fit.mvr_config import MvrConfig
from isopts.fit.prepared_views import PreparedViews
from isopts.fit.schedule import stage
from isopts.kernels.patch_consistency import PatchViews, patch_consistency
from isopts.kernels.view_choice import ViewChoiceLimits, choose_views
from isopts.render.implicit_points import points_along_normals


class PhotoConsistency:
    """The term's images, at every size, and the choice of views."""

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
        self._limits = ViewChoiceLimits()

    def use(self, views: PreparedViews) -> None:
        """The same images, with other cameras."""
        self._pyramid, self._pixel = with_cameras(self._pyramid, views.cameras), views.pixel

    def level(self, progress: float) -> int:
        """Of the image pyramid, 0 the finest."""
        return min(len(self._config.levels) - stage(progress, self._config.levels), len(self._pyramid) - 1)

    def loss(
        self,
        points: torch.Tensor,
        values: torch.Tensor,
        gradients: torch.Tensor,
        cosines: torch.Tensor,
        progress: float,
    ) -> torch.Tensor:
        """Weighted term of surfels: points (N, 3), the field's values (N,) and gradients (N, 3) there, how squarely the
        views see them (N, V).

        A coarser level weighs more, by the root of its pixel: its gradients are smaller. The gradient along the normal
        is limited to a few over a pixel: beyond, NCC is no longer a parabola around its maximum.
        """
        level = self.level(progress)
        views = self._pyramid[level]
        noise = torch.rand(cosines.shape, generator=self._generator).to(points)
        references, sources = choose_views(points, cosines, views.centers, noise, self._limits)
        weight = self._weight * 2 ** (level / 2)
        surface = points_along_normals(points, values, gradients)
        limit = self._config.offset_gradient_pixels / (self._pixel * 2**level)
        surface = view_losses.limit_gradient(surface, weight * limit / len(points))
        normals = functional.normalize(gradients, dim=1)
        scores = patch_consistency(surface, normals, references, sources, views, self._config.half_size)
        floor = self._config.floors[len(self._config.levels) - level]
        return weight * view_losses.photo_loss(scores, floor, self._config.best)
