"""Cameras that are refined together with the surface: small corrections that make patches of it agree."""

import math
from typing import NamedTuple

import torch

from isopts.field.build import Field
from isopts.fit.cameras.config import CamerasConfig
from isopts.fit.cameras.motion import pixels_between
from isopts.fit.cameras.silhouettes import outline_pixels, outline_sightings
from isopts.fit.cameras.tracks import camera_tracks
from isopts.fit.schedule import stage
from isopts.fit.views.config import MvrConfig
from isopts.fit.views.image_stack import image_pyramid, with_cameras
from isopts.fit.views.prepared_views import PreparedViews
from isopts.fit.views.surfels import Surfels, depth_views, refresh_surfels
from isopts.geometry.bundle_adjustment import Adjusted, CorrectionSizes, Sightings, adjust_bundle
from isopts.geometry.camera_corrections import CameraCorrections
from isopts.isopoints.project import ValueAndGradient
from isopts.kernels.patch_consistency import PatchViews
from isopts.render.sampled_field import sample_field

_LEVELS = 4  # of the image pyramid: half a patch of the coarsest is 24 pixels
_COARSEST_LATER = 2  # once cameras and surface are about right
_ITERATIONS, _ITERATIONS_LATER = 6, 3
_SETTLED_PIXELS = 0.5
_SIGHTINGS_MIN = 20  # of patches, before and after those that are wrong go; a view with fewer stays as it is
_EXPLAINED = 3.0  # standard deviations
_BARE_SHARE = 0.5  # of views without: then there is nothing but outlines, else they would tell less than they disturb


class Surface(NamedTuple):
    """What cameras are refined by: iso-points, the field that they are on, and a sampled copy of it."""

    surfels: Surfels
    value_and_gradient: ValueAndGradient
    grid: torch.Tensor


class CameraRefinement:
    """Corrections of the cameras of `given` views, and when they are refined. State: corrections and rounds."""

    def __init__(self, config: CamerasConfig, given: PreparedViews, generator: torch.Generator, levels: int):
        """levels: of the image pyramid, at the least."""
        self._config, self._given, self._generator = config, given, generator
        self._pyramid = image_pyramid(given.images, max(_LEVELS, levels))
        self._outline = None if given.maps is None else outline_pixels(given.maps, generator)
        self.corrections = CameraCorrections.none(len(given.fitted))
        self.rounds = 0
        self.views = given

    @property
    def pyramid(self) -> list[PatchViews]:
        """The images with the given cameras, the finest first."""
        return self._pyramid

    def restore(self, corrections: CameraCorrections, rounds: int) -> None:
        """Continue where these were taken."""
        self.rounds = rounds
        if bool(corrections.vectors().any()):  # none at all change the last digit of a ray, too
            self._use(corrections)

    def is_due(self, progress: float) -> bool:
        """Whether another of the configured rounds is behind."""
        return stage(progress, self._config.rounds) > self.rounds

    def refine_during_fit(self, surface: Surface, progress: float) -> PreparedViews:
        """The round that is due; the views with the new cameras."""
        self.rounds = stage(progress, self._config.rounds)
        return self.refine(surface, _COARSEST_LATER if bool(self.corrections.vectors().any()) else _LEVELS - 1)

    def refine(self, surface: Surface, coarsest: int = _LEVELS - 1) -> PreparedViews:
        """Improve the corrections by patches and outlines of `surface`; the views with the new cameras.

        coarsest: level of the image pyramid at which patches are first looked for.
        """
        given = self._given.images.cameras.to("cpu", torch.float64)
        exact, images = self.views.exact_cameras, self.corrections.applied(given)
        points, sightings = self._tracks(surface.surfels, coarsest)
        outline = None
        if self._outline is not None and _bare_share(sightings.views, len(given)) > _BARE_SHARE:
            seen = (surface.surfels.cosines > 0).any(dim=0).cpu()  # not by the views that were left out
            pixels = self._outline.of_views(seen)
            outline = outline_sightings(pixels, exact, images, surface.value_and_gradient, surface.grid)
        iterations = _ITERATIONS if coarsest > _COARSEST_LATER else _ITERATIONS_LATER
        adjusted = adjust_bundle(given, self.corrections, points, sightings, self._sizes(), iterations, outline)
        found = _agreeing(adjusted, sightings, len(given))
        if outline is not None:
            found += torch.bincount(outline[1].views.flatten(), minlength=len(given))
        trusted = found >= _SIGHTINGS_MIN
        vectors = torch.where(trusted[:, None], adjusted.corrections.vectors(), self.corrections.vectors())
        self._use(CameraCorrections.from_vectors(vectors))
        return self.views

    def _tracks(self, surfels: Surfels, coarsest: int) -> tuple[torch.Tensor, Sightings]:
        """Points (N, 3) and sightings of some surfels, whose cosines say which views see them, on the CPU."""
        seen = torch.nonzero((surfels.cosines > 0).any(dim=1))[:, 0]
        order = torch.randperm(len(seen), generator=self._generator)[: self._config.tracks]
        chosen = seen[order.to(seen.device)]
        pyramid = with_cameras(self._pyramid, self.views.cameras)
        level = min(coarsest, len(pyramid) - 1)
        sightings = camera_tracks(surfels, chosen, pyramid, level, self._generator)
        sightings = _of_views_seen_enough(sightings, len(self._given.fitted))
        matched = (sightings.views >= 0).sum(dim=1) > 1
        return surfels.points[chosen].cpu()[matched], Sightings(*(part[matched] for part in sightings))

    def _sizes(self) -> CorrectionSizes:
        config = self._config
        focal = config.focal_share if config.focal else 0.0
        return CorrectionSizes(math.radians(config.rotation_degrees), config.translation, focal)

    def _use(self, corrections: CameraCorrections) -> None:
        self.corrections = corrections
        self.views = self._given.corrected(corrections)


def refine_on_start(refinement: CameraRefinement, field: Field, config: MvrConfig, generator: torch.Generator) -> bool:
    """The rounds before the first step, on a surface that is about right, until they move the cameras by less than half
    a pixel; whether the first one did more, so that a start is worth making again. None where `field` has no surface.
    """
    surfels, device = None, refinement.views.images.masks.device
    grid = sample_field(field.value, config.fit.sampled_resolution, device)
    for number in range(config.cameras.start_rounds):
        before = refinement.views
        views = depth_views(before.cameras)
        surfels = refresh_surfels(field.value_and_gradient, views, config.isopoints, surfels, False, grid, generator)
        if surfels is None:
            return False
        after = refinement.refine(Surface(surfels, field.value_and_gradient, grid))
        if pixels_between(before.cameras, after.cameras) < _SETTLED_PIXELS:
            return number > 0
    return config.cameras.start_rounds > 0


def _agreeing(adjusted: Adjusted, sightings: Sightings, count: int) -> torch.Tensor:
    """(V,) sightings of each of `count` views that the adjusted cameras and points explain."""
    return torch.bincount(sightings.views[adjusted.residuals < _EXPLAINED], minlength=count)


def _bare_share(views: torch.Tensor, count: int) -> float:
    """Of `count` views, those without a sighting."""
    return 1 - len(views[views >= 0].unique()) / count


def _of_views_seen_enough(sightings: Sightings, count: int) -> Sightings:
    """Without those in views that have too few to be told by them."""
    views = sightings.views
    numbers = torch.bincount(views[views >= 0], minlength=count)
    enough = (views >= 0) & (numbers[views.clamp_min(0)] >= _SIGHTINGS_MIN)
    return sightings._replace(views=torch.where(enough, views, -1))
