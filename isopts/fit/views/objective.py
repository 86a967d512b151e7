"""What fit-mvr minimises: colours, photo-consistency, silhouettes, and what keeps the field smooth."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from isopts.errors import DivergedError
from isopts.field.build import Field
from isopts.field.radiance import with_features
from isopts.fit.cameras.refinement import CameraRefinement, Surface
from isopts.fit.colors.exposure import Exposures
from isopts.fit.colors.samples import ColorSampler, ColorSamples
from isopts.fit.losses import eikonal_loss
from isopts.fit.photo.consistency import PhotoConsistency
from isopts.fit.photo.view_agreement import ViewAgreement
from isopts.fit.schedule import exponential_change, is_due, linear_change
from isopts.fit.views import view_losses
from isopts.fit.views.config import MvrConfig
from isopts.fit.views.prepared_views import PreparedViews, fewest_views
from isopts.fit.views.prior import prior_loss
from isopts.fit.views.side_terms import KnownSides, SideTerms
from isopts.fit.views.surface_draws import SurfaceDraws
from isopts.fit.views.surfels import Surfels, depth_views, refresh_surfels
from isopts.render.implicit_points import points_on_rays
from isopts.render.sampled_field import sample_field

_ON_SURFACE = 0.01  # largest |f| of a point whose colour counts
_TOWARDS_CAMERA = -0.1  # largest slope of the field along its ray


class Evaluated(NamedTuple):
    """The field at points (N, 3): values (N,), gradients (N, 3), features (N, F)."""

    points: torch.Tensor
    values: torch.Tensor
    gradients: torch.Tensor
    features: torch.Tensor


class MvrObjective:
    """See isopts.fit.loop.Objective. State between steps: surfels, the sampled copy of the field, and the generator,
    which is the CPU's so that every device draws the same numbers."""

    def __init__(
        self,
        field: Field,
        radiance: nn.Module,
        views: PreparedViews,
        config: MvrConfig,
        generator: torch.Generator,
        progress: Callable[[int], float],
        exposures: Exposures | None = None,
        refinement: CameraRefinement | None = None,
    ):
        """progress: share of the fit that is done at a step. refinement: of the cameras, `views` are its."""
        self._field, self._radiance, self._views = field, radiance, views
        self._config, self._generator, self._progress = config, generator, progress
        self._exposures, self._refinement = exposures, refinement
        self._depth_views = depth_views(views.cameras)
        self._colors = ColorSampler(views.images, generator)
        pyramid = None if refinement is None else refinement.pyramid
        self._photo = PhotoConsistency(views, config, generator, pyramid) if config.losses.photo > 0 else None
        self._rays = views.rays
        self._draws = SurfaceDraws(config, generator, views.images.masks.device)
        self._sides = SideTerms(field, config, self._draws)
        self._grid: torch.Tensor | None = None

    @property
    def device(self) -> torch.device:
        """Of the fit."""
        return self._views.images.masks.device

    @property
    def isopoint_count(self) -> int:
        return self._draws.count

    @property
    def colors(self) -> ColorSampler:
        """Draws from the images that are fitted, without those that were left out."""
        return self._colors

    @property
    def surfels(self) -> Surfels | None:
        """The current iso-points."""
        return self._draws.surfels

    @property
    def grid(self) -> torch.Tensor | None:
        """The sampled copy of the field."""
        return self._grid

    @property
    def photo(self) -> PhotoConsistency | None:
        """The term, where it counts."""
        return self._photo

    @property
    def agreement(self) -> ViewAgreement | None:
        """Of the views, in the photo-consistency."""
        return None if self._photo is None else self._photo.agreement

    def restore(self, surfels: Surfels | None, grid: torch.Tensor | None) -> None:
        """Continue where these were taken; `photo` is restored by then."""
        self._grid = grid
        if self.agreement is not None:
            for view in self.agreement.left_out_views():
                self._leave_out(view)
        self._draws.use(surfels)

    def _use_views(self, views: PreparedViews) -> None:
        """The same images with other cameras."""
        self._views, self._depth_views = views, depth_views(views.cameras)
        self._colors.use(views.images)
        if self._photo is not None:
            self._photo.use(views)
        self._rays = views.rays
        for view in self.agreement.left_out_views() if self.agreement is not None else []:
            self._rays = self._rays.without(view)

    def refresh(self, step: int) -> str | None:
        """Extract iso-points and copy the field when it is time to."""
        config = self._config.isopoints
        due = is_due(step, config.first_step, config.every_steps)
        if due or self._grid is None:
            resolution = self._config.fit.sampled_resolution
            self._grid = sample_field(self._field.value, resolution, self._views.images.masks.device)
        if not due:
            return None
        notes = self._doubted_views(step)
        concentrated = self._config.sampling.mode == "importance"
        found = refresh_surfels(
            self._field.value_and_gradient,
            self._depth_views,
            config,
            self.surfels,
            concentrated,
            self._grid,
            self._generator,
        )
        if found is None and self.surfels is not None:
            raise DivergedError(f"The surface vanished before step {step}; lower the learning rates and try again.")
        first = self.surfels is None
        if found is not None and self.agreement is not None:
            found.cosines[:, self.agreement.left_out] = 0
        self._draws.use(found)
        if self._refinement is not None and found is not None and self._refinement.is_due(self._progress(step)):
            surface = Surface(found, self._field.value_and_gradient, self._grid)
            self._use_views(self._refinement.refine_during_fit(surface, self._progress(step)))
        if self._photo is not None and found is not None:
            extraction = (step - config.first_step) // config.every_steps
            self._photo.use_surfels(found, self._gradient, self._progress(step))
            self._photo.look_behind(found, self._field.value, extraction, self._progress(step))
        if first and found is not None:
            notes.append(f"{self.isopoint_count:,} iso-points on the surface.")
        return " ".join(notes) or None

    def _doubted_views(self, step: int) -> list[str]:
        """Leave out the views that the others do not agree with, after the coarsest images; sentences about them."""
        config, notes = self._config.photo, []
        if self._photo is None or config.agreement_min == 0 or self._progress(step) < min(config.levels, default=0):
            return notes
        labels, fitted = self._views.source.labels, self._views.fitted
        while (view := self.agreement.leave_out(config.agreement_min, fewest_views(len(fitted)))) is not None:
            self._leave_out(view)
            notes.append(
                f"The view '{labels[fitted[view]]}' is left out from here on: the others do not agree with what it "
                "shows; look at its pose and at its image."
            )
        self.agreement.fade()
        return notes

    def _leave_out(self, view: int) -> None:
        self._rays = self._rays.without(view)
        self._colors.leave_out(view)

    def losses(self, step: int) -> dict[str, torch.Tensor]:
        """Weighted terms of one random batch."""
        config, progress = self._config, self._progress(step)
        chosen = self._draws.numbers(self._surfel_count(progress))
        surfaces = self._draws.positions(chosen, self._field.value_and_gradient)
        traced, missed = self._traced_samples(progress)
        space, near = self._draws.space(), self._draws.bends()
        at = self._evaluate(surfaces=surfaces, traced=traced.places, space=space, bends=near)
        if len(chosen) and config.isopoints.jitter == 0:
            self._draws.follow(chosen, at["surfaces"].values, at["surfaces"].gradients)
        terms = {}
        if self._photo is not None and len(chosen):
            count = min(config.sampling.patches, len(chosen))
            compared, at_patches = chosen[:count], [tensor[:count] for tensor in at["surfaces"][:3]]
            terms["photo"], errors = self._photo.loss(compared, self.surfels.cosines[compared], *at_patches, progress)
            if config.isopoints.importance == "photo":
                self._draws.remember(compared[errors >= 0], errors[errors >= 0])
        free = surfaces[:0, 0]
        if len(traced.places):
            terms["color"] = self._color_term(traced, at["traced"], None)
        elif config.sampling.mode != "rays" and (count := min(self._color_count(progress), len(chosen))) > 0:
            samples, off_object = self._colors.from_surfels(surfaces[:count], self.surfels.cosines[chosen[:count]])
            part = Evaluated(*(tensor[:count] for tensor in at["surfaces"]))
            terms["color"] = self._color_term(samples, part, chosen[:count])
            free = part.values[off_object] - self._views.pixel  # on the surface now, to be a pixel outside of it
        if self._exposures is not None:
            terms["exposure"] = config.exposure.weight * self._exposures.size()
        known = self._known_sides(free, missed)
        terms |= self._sides.losses(self._rays, known, self._grid, progress)
        if self._views.prior is not None and config.losses.prior > 0:
            terms["prior"] = self._prior_term(progress)
        if config.losses.eikonal > 0:
            gradients = torch.cat((at["space"].gradients, at["bends"].gradients))
            terms["eikonal"] = config.losses.eikonal * eikonal_loss(gradients)
        if len(near):
            first, last = config.losses.curvature, config.losses.curvature_final or config.losses.curvature
            pairs = functional.normalize(at["bends"].gradients, dim=1).chunk(2)
            terms["curvature"] = exponential_change(progress, first, last) * view_losses.bending_loss(*pairs)
        return terms

    def _gradient(self, points: torch.Tensor) -> torch.Tensor:
        return self._field.value_and_gradient(points)[1]

    def _evaluate(self, **parts: torch.Tensor) -> dict[str, Evaluated]:
        """All points in one call: the field's kernels like long batches."""
        found = with_features(self._field, torch.cat(list(parts.values())))
        pieces = zip(*(tensor.split([len(part) for part in parts.values()]) for tensor in found), strict=True)
        return {name: Evaluated(points, *piece) for (name, points), piece in zip(parts.items(), pieces, strict=True)}

    def _color_term(self, samples: ColorSamples, at: Evaluated, owners: torch.Tensor | None) -> torch.Tensor:
        """owners: the surfels of the samples, whose errors are remembered."""
        config = self._config.losses
        slopes = (at.gradients.detach() * samples.directions).sum(dim=1)
        counts = samples.counts & (at.values.detach().abs() < _ON_SURFACE) & (slopes < _TOWARDS_CAMERA)
        points = points_on_rays(samples.places, samples.directions, at.points, at.values, at.gradients)
        if config.point_gradient_max > 0:
            points = view_losses.limit_gradient(points, config.point_gradient_max * config.color / len(points))
        normals = functional.normalize(at.gradients, dim=1)
        colors = self._radiance(points, normals, samples.directions, at.features)
        if self._exposures is not None:
            colors = self._exposures(colors, samples.views)
        if owners is not None and self._config.isopoints.importance != "photo":
            errors = (colors.detach() - samples.expected).abs().mean(dim=1)
            self._draws.remember(owners[counts], errors[counts])
        return config.color * view_losses.color_loss(colors, samples.expected, counts.to(colors))

    def _known_sides(self, free: torch.Tensor, missed: torch.Tensor) -> KnownSides:
        """free: values (F,) known to be outside. missed: places (M, 3) that rays through the object come nearest at."""
        outside = missed[:0] if self._photo is None else self._photo.drawn_free_points()
        if self._views.source.masked:
            return KnownSides(outside, missed, free)
        # rays that miss the surface show background, and nothing is beyond the region
        return KnownSides(outside, missed[:0], torch.cat((free, self._sides.beyond_region())))

    def _prior_term(self, progress: float) -> torch.Tensor:
        config, prior = self._config.losses, self._views.prior
        points = prior.points
        values = self._field.value(points[self._draws.choose(len(points), self._config.sampling.prior)])
        weight = exponential_change(progress, config.prior, config.prior_final or config.prior)
        return weight * prior_loss(values, prior.noise, config.prior_reach)

    def _traced_samples(self, progress: float) -> tuple[ColorSamples, torch.Tensor]:
        """Rays where they are what is compared; and until there are iso-points."""
        config = self._config.sampling
        count = self._color_count(progress)
        if config.mode != "rays" and self.surfels is not None:
            count = 0
        if count == 0:
            nowhere = self._grid.new_zeros((0, 3))
            none = nowhere[:, 0]
            return ColorSamples(nowhere, nowhere, none.long(), nowhere, none.bool()), nowhere
        grid = self._grid if config.tracer == "sampled" else None
        return self._colors.from_rays(count, self._field, grid, self._config.tracing)

    def _color_count(self, progress: float) -> int:
        if self._config.losses.color == 0:
            return 0
        first, last = self._config.sampling.colors, self._config.sampling.colors_final
        return round(linear_change(progress, first, last or first))

    def _surfel_count(self, progress: float) -> int:
        """As many as the terms need."""
        patches = self._config.sampling.patches if self._photo is not None else 0
        return max(patches, 0 if self._config.sampling.mode == "rays" else self._color_count(progress))
