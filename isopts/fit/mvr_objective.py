"""What fit-mvr minimises: colours, photo-consistency, silhouettes, and what keeps the field smooth."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

from isopts.errors import DivergedError
from isopts.field.build import Field
from isopts.field.radiance import with_features
from isopts.fit import view_losses
from isopts.fit.camera_refinement import CameraRefinement, Surface
from isopts.fit.cloud_start import REGION, beyond_region
from isopts.fit.color_samples import ColorSampler, ColorSamples
from isopts.fit.exposure import Exposures
from isopts.fit.losses import eikonal_loss
from isopts.fit.mvr_config import MvrConfig
from isopts.fit.photo_consistency import PhotoConsistency
from isopts.fit.prepared_views import PreparedViews, fewest_views
from isopts.fit.prior import prior_loss
from isopts.fit.schedule import doublings, exponential_change, is_due, linear_change
from isopts.fit.silhouette_rays import RayBundle
from isopts.fit.surfels import Surfels, depth_views, refresh_surfels
from isopts.fit.view_agreement import ViewAgreement
from isopts.isopoints.project import project
from isopts.kernels.grid_rays import march_rays
from isopts.render.implicit_points import points_along_normals, points_on_rays
from isopts.render.sampled_field import sample_field

_NEAR_SURFACE = 0.03  # unit frame: around the surface, for the eikonal term and for rays beside the silhouettes
_DOMAIN = 0.95  # half side of the cube of points anywhere
_ON_SURFACE = 0.01  # largest |f| of a point whose colour counts
_FOLLOWED = 0.02  # longest way that a surfel follows the surface at once
_TOWARDS_CAMERA = -0.1  # largest slope of the field along its ray
_ERROR_MEMORY = 0.7  # share of a surfel's old error that a new one leaves


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
        self._surfels: Surfels | None = None
        self._seen = torch.zeros(0, dtype=torch.int64)
        self._grid: torch.Tensor | None = None

    @property
    def isopoint_count(self) -> int:
        return 0 if self._surfels is None else len(self._surfels.points)

    @property
    def surfels(self) -> Surfels | None:
        """The current iso-points."""
        return self._surfels

    @property
    def grid(self) -> torch.Tensor | None:
        """The sampled copy of the field."""
        return self._grid

    @property
    def agreement(self) -> ViewAgreement | None:
        """Of the views, in the photo-consistency."""
        return None if self._photo is None else self._photo.agreement

    @property
    def free_points(self) -> torch.Tensor | None:
        """(M, 3) that photo-consistency says are in front of the surface."""
        return None if self._photo is None else self._photo.free_points

    def restore(
        self, surfels: Surfels | None, grid: torch.Tensor | None, free_points: torch.Tensor | None = None
    ) -> None:
        """Continue where these were taken; the agreement is restored by then."""
        self._grid = grid
        if self._photo is not None and free_points is not None:
            self._photo.free_points = free_points
        if self.agreement is not None:
            for view in self.agreement.left_out_views():
                self._leave_out(view)
        self._use_surfels(surfels)

    def _use_surfels(self, surfels: Surfels | None) -> None:
        self._surfels = surfels
        if surfels is not None:
            self._seen = torch.nonzero((surfels.cosines > 0).any(dim=1))[:, 0]

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
            self._field.value_and_gradient, self._depth_views, config, self._surfels, concentrated, self._generator
        )
        if found is None and self._surfels is not None:
            raise DivergedError(f"The surface vanished before step {step}; lower the learning rates and try again.")
        first = self._surfels is None
        if found is not None and self.agreement is not None:
            found.cosines[:, self.agreement.left_out] = 0
        self._use_surfels(found)
        if self._refinement is not None and found is not None and self._refinement.is_due(self._progress(step)):
            surface = Surface(found, self._field.value_and_gradient, self._grid)
            self._use_views(self._refinement.refine_during_fit(surface, self._progress(step)))
        if self._photo is not None and found is not None:
            self._photo.look_behind(found, self._field.value, self._progress(step))
        if first and found is not None:
            notes.append(f"{self.isopoint_count:,} iso-points on the surface.")
        return " ".join(notes) or None

    def _doubted_views(self, step: int) -> list[str]:
        """Leave out the views that the others do not agree with, after the coarsest images; sentences about them."""
        config, notes = self._config.photo, []
        if self._photo is None or config.agreement_min == 0 or self._progress(step) < min(config.levels, default=0):
            return notes
        names, fitted = self._views.source.names, self._views.fitted
        while (view := self.agreement.leave_out(config.agreement_min, fewest_views(len(fitted)))) is not None:
            self._leave_out(view)
            notes.append(
                f"The view '{names[fitted[view]]}' is left out from here on: the others do not agree with what it "
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
        chosen = self._choose_surfels(progress)
        surfaces = self._surfaces(chosen)
        traced, missed = self._traced_samples(progress)
        space = self._space_points()
        near = self._bend_points()
        at = self._evaluate(surfaces=surfaces, traced=traced.points, space=space, bends=near)
        if len(chosen) and config.isopoints.jitter == 0:
            self._follow(chosen, at["surfaces"])
        terms = {}
        if self._photo is not None and len(chosen):
            count = min(config.sampling.patches, len(chosen))
            part = Evaluated(*(tensor[:count] for tensor in at["surfaces"]))
            cosines = self._surfels.cosines[chosen[:count]]
            terms["photo"] = self._photo.loss(part.points, part.values, part.gradients, cosines, progress)
        free = surfaces[:0, 0]
        if len(traced.points):
            terms["color"] = self._color_term(traced, at["traced"], None)
        elif config.sampling.mode != "rays" and (count := min(self._color_count(progress), len(chosen))) > 0:
            samples, off_object = self._colors.from_surfels(surfaces[:count], self._surfels.cosines[chosen[:count]])
            part = Evaluated(*(tensor[:count] for tensor in at["surfaces"]))
            terms["color"] = self._color_term(samples, part, chosen[:count])
            free = part.values[off_object] - self._views.pixel  # on the surface now, to be a pixel outside of it
        if self._exposures is not None:
            terms["exposure"] = config.exposure.weight * self._exposures.size()
        if (
            not self._views.source.masked
        ):  # rays that miss the surface show background, and nothing is beyond the region
            missed, free = missed[:0], torch.cat((free, self._clearances_beyond()))
        terms |= self._side_terms(free, missed, progress)
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

    def _evaluate(self, **parts: torch.Tensor) -> dict[str, Evaluated]:
        """All points in one call: the field's kernels like long batches."""
        found = with_features(self._field, torch.cat(list(parts.values())))
        pieces = zip(*(tensor.split([len(part) for part in parts.values()]) for tensor in found), strict=True)
        return {name: Evaluated(points, *piece) for (name, points), piece in zip(parts.items(), pieces, strict=True)}

    def _follow(self, chosen: torch.Tensor, at: Evaluated) -> None:
        """Move the drawn surfels to where the surface is now: between extractions they would lag behind it where it
        moves, which is where it matters."""
        values, gradients = at.values.detach(), at.gradients.detach()
        steps = points_along_normals(at.points, values.clamp(-_FOLLOWED, _FOLLOWED), gradients)
        self._surfels.points[chosen] = steps.clamp(-1, 1)
        self._surfels.normals[chosen] = functional.normalize(gradients, dim=1)

    def _color_term(self, samples: ColorSamples, at: Evaluated, owners: torch.Tensor | None) -> torch.Tensor:
        """owners: the surfels of the samples, whose errors are remembered."""
        config = self._config.losses
        slopes = (at.gradients.detach() * samples.directions).sum(dim=1)
        counts = samples.counts & (at.values.detach().abs() < _ON_SURFACE) & (slopes < _TOWARDS_CAMERA)
        points = points_on_rays(samples.points, at.values, at.gradients, samples.directions)
        if config.point_gradient_max > 0:
            points = view_losses.limit_gradient(points, config.point_gradient_max * config.color / len(points))
        normals = functional.normalize(at.gradients, dim=1)
        colors = self._radiance(points, normals, samples.directions, at.features)
        if self._exposures is not None:
            colors = self._exposures(colors, samples.views)
        if owners is not None:
            errors = (colors.detach() - samples.expected).abs().mean(dim=1)
            kept, owned = self._surfels.errors, owners[counts]
            blended = _ERROR_MEMORY * kept[owned] + (1 - _ERROR_MEMORY) * errors[counts]
            kept[owned] = torch.where(kept[owned] > 0, blended, errors[counts])
        return config.color * view_losses.color_loss(colors, samples.expected, counts.to(colors))

    def _side_terms(self, free: torch.Tensor, missed: torch.Tensor, progress: float) -> dict[str, torch.Tensor]:
        """free: values (F,) known to be outside. missed: points (M, 3) known to be inside."""
        config, count = self._config.losses, self._config.sampling.silhouettes // 2
        if max(config.silhouette, config.mask) == 0:
            return {}
        outside = self._smallest_on_rays(self._rays.outside, count, 1.0)
        inside = torch.cat((self._smallest_on_rays(self._rays.inside, count, -1.0), missed))
        if self._photo is not None:
            outside = torch.cat((outside, self._photo.drawn_free_points()))
        outside_values, inside_values = self._field.value(torch.cat((outside, inside))).split(
            [len(outside), len(inside)]
        )
        outside_values = torch.cat((outside_values, free))
        terms = {}
        if config.silhouette > 0:
            terms["silhouette"] = config.silhouette * view_losses.side_loss(outside_values, inside_values)
        if config.mask > 0:
            last = config.mask_sharpness_final or config.mask_sharpness
            sharpness = doublings(progress, config.mask_sharpness, last)
            terms["mask"] = config.mask * view_losses.mask_loss(outside_values, inside_values, sharpness)
        return terms

    def _clearances_beyond(self) -> torch.Tensor:
        """(S,) f less the distance to the region at random points beyond it, which is negative on the wrong side."""
        config = self._config
        if max(config.losses.silhouette, config.losses.mask) == 0:
            return self._grid.new_zeros(0)
        points = beyond_region(config.sampling.silhouettes // 2, self._generator).to(self._grid)
        return self._field.value(points) - (points.norm(dim=1) - REGION)

    def _prior_term(self, progress: float) -> torch.Tensor:
        config, prior = self._config.losses, self._views.prior
        points = prior.points
        values = self._field.value(points[self._choose(len(points), self._config.sampling.prior)])
        weight = exponential_change(progress, config.prior, config.prior_final or config.prior)
        return weight * prior_loss(values, prior.noise, config.prior_reach)

    def _smallest_on_rays(self, bundle: RayBundle, count: int, side: float) -> torch.Tensor:
        """Places (M, 3) of the smallest value on random rays, those where it is wrong or nearly so. side: its sign."""
        if len(bundle.origins) == 0:
            return bundle.origins
        chosen = self._choose(len(bundle.origins), count)
        origins, directions = bundle.origins[chosen], bundle.directions[chosen]
        found = march_rays(self._grid, origins, directions)
        kept = (side * found.smallest < _NEAR_SURFACE) & found.nearest.isfinite()
        return (origins + found.nearest[:, None] * directions)[kept]

    def _traced_samples(self, progress: float) -> tuple[ColorSamples, torch.Tensor]:
        """Rays where they are what is compared; and until there are iso-points."""
        config = self._config.sampling
        count = self._color_count(progress)
        if config.mode != "rays" and self._surfels is not None:
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

    def _choose_surfels(self, progress: float) -> torch.Tensor:
        """Numbers (B,) of as many as the terms need, of those that some view sees."""
        if self._surfels is None:
            return torch.zeros(0, dtype=torch.int64, device=self._grid.device)
        patches = self._config.sampling.patches if self._photo is not None else 0
        colors = 0 if self._config.sampling.mode == "rays" else self._color_count(progress)
        seen = self._seen if len(self._seen) else torch.arange(self.isopoint_count, device=self._grid.device)
        return seen[self._choose(len(seen), max(patches, colors))]

    def _surfaces(self, chosen: torch.Tensor) -> torch.Tensor:
        """Positions (B, 3) of surfels, jittered along the surface where the configuration says so."""
        if len(chosen) == 0:
            return self._grid.new_zeros((0, 3))
        config, points = self._config.isopoints, self._surfels.points[chosen]
        if config.jitter == 0:
            return points
        moved = points + config.jitter * (2 * self._random(points) - 1)
        found = project(self._field.value_and_gradient, moved, config.extraction.projection)
        return torch.where(found.converged[:, None], found.points, points)

    def _space_points(self) -> torch.Tensor:
        """(S, 3) around the surface and anywhere, half of each."""
        count = self._config.sampling.eikonal if self._config.losses.eikonal > 0 else 0
        anywhere = _DOMAIN * (2 * torch.rand((count - count // 2, 3), generator=self._generator) - 1)
        anywhere = anywhere.to(self._grid)
        if self._surfels is None:
            return anywhere
        near = self._surfels.points[self._choose(self.isopoint_count, count // 2)]
        near = near + _NEAR_SURFACE * self._normal(near)
        return torch.cat((near.clamp(-1, 1), anywhere))

    def _bend_points(self) -> torch.Tensor:
        """(2 P, 3): surfels, and a place near each of them."""
        if self._surfels is None or self._config.losses.curvature == 0:
            return self._grid.new_zeros((0, 3))
        points = self._surfels.points[self._choose(self.isopoint_count, self._config.sampling.curvature)]
        beside = points + self._config.losses.curvature_distance * self._normal(points)
        return torch.cat((points, beside.clamp(-1, 1)))

    def _choose(self, population: int, count: int) -> torch.Tensor:
        return torch.randint(population, (count,), generator=self._generator).to(self._grid.device)

    def _normal(self, like: torch.Tensor) -> torch.Tensor:
        return torch.randn(like.shape, generator=self._generator).to(like)

    def _random(self, like: torch.Tensor) -> torch.Tensor:
        return torch.rand(like.shape, generator=self._generator).to(like)
