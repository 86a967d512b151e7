"""The colour field of a surface that is finished, learned once more.

While the surface was wrong, the network learned by heart what it looked like from each direction: what it says of
directions in between is then worse than what a new one says that only saw the final surface. Its features of places
are kept.
"""

import copy
from collections.abc import Callable
from typing import NamedTuple

import torch
from pydantic import Field as Describe
from torch import nn
from torch.nn import functional

from isopts.config import StrictModel
from isopts.errors import DivergedError
from isopts.field.build import Field
from isopts.field.radiance import renew_layers, with_features
from isopts.fit.colors.exposure import Exposures
from isopts.fit.colors.samples import ColorSampler
from isopts.fit.optimizer import Rates, build_optimizer, scale_rates
from isopts.fit.schedule import exponential_decay, warm_up
from isopts.fit.views.view_losses import huber_color_loss
from isopts.render.trace import SphereTracingConfig

_CHUNK = 65_536
_WARM_UP_STEPS = 20
_DECAY_START, _DECAY_FINAL = 0.2, 0.02
_SECOND_MOMENT_DECAY = 0.99
_ON_SURFACE = 1e-3  # largest |f| of a traced point whose colour counts, unit frame
_TOWARDS_CAMERA = -0.1  # largest slope of the field along a ray


class FinishConfig(StrictModel):
    """Colours of the final surface. Without the surface in it a step costs a quarter of one of the fit."""

    steps_share: float = Describe(0.5, ge=0, description="steps, as a share of those of the fit; 0 leaves it out")
    samples: int = Describe(6144, ge=1, description="pixels whose colours are compared in a step")
    pool: int = Describe(900_000, ge=1, description="pixels that are traced once, at random, and drawn from")
    rates: Rates = Describe(Rates(learning_rate=5e-3), description="learning rates at the beginning")


class FinishedSurface(NamedTuple):
    """field: that is not fitted any more. grid: a sampled copy of it, through which pixels are traced."""

    field: Field
    grid: torch.Tensor


class _Pool(NamedTuple):
    """points, normals, directions (N, 3); features (N, F); expected (N, 3); views (N,)."""

    points: torch.Tensor
    normals: torch.Tensor
    directions: torch.Tensor
    features: torch.Tensor
    expected: torch.Tensor
    views: torch.Tensor


def finish_colors(
    radiance: nn.Module,
    surface: FinishedSurface,
    sampler: ColorSampler,
    config: FinishConfig,
    steps: int,
    exposures: Exposures | None,
    generator: torch.Generator,
    stop: Callable[[], bool],
) -> bool:
    """Fit `radiance` to all photographs of `surface`, in place: its feature table as it was, its layers new.

    Args:
        exposures: of the photographs, taken as they are.
        generator: the CPU's.
        stop: polled every step; True ends it.

    Returns:
        whether `radiance` is finished: it was not stopped, and some pixel meets the surface.

    Raises:
        DivergedError: the loss is not finite.
    """
    pool = _traced(surface, sampler, config.pool, generator)
    if len(pool.points) == 0:
        return False
    renew_layers(radiance.layers, generator)
    optimizer = build_optimizer([(radiance, config.rates)], _SECOND_MOMENT_DECAY)
    fixed = None if exposures is None else copy.deepcopy(exposures).requires_grad_(False)
    loss = pool.points.new_zeros(())
    for step in range(1, steps + 1):
        if stop():
            return False
        factor = warm_up(step, _WARM_UP_STEPS) * exponential_decay(step / steps, _DECAY_START, _DECAY_FINAL)
        scale_rates(optimizer, factor)
        drawn = torch.randint(len(pool.points), (config.samples,), generator=generator).to(surface.grid.device)
        part = _Pool(*(tensor[drawn] for tensor in pool))
        colors = radiance(part.points, part.normals, part.directions, part.features)
        if fixed is not None:
            colors = fixed(colors, part.views)
        optimizer.zero_grad()
        loss = huber_color_loss(colors, part.expected)
        loss.backward()
        optimizer.step()
    if not bool(loss.isfinite()):
        raise DivergedError("The colours of the finished surface diverged; lower finish.rates and try again.")
    return True


@torch.no_grad()
def _traced(surface: FinishedSurface, sampler: ColorSampler, count: int, generator: torch.Generator) -> _Pool:
    """Where random pixels of the object meet the surface."""
    pieces = []
    for size in torch.arange(count).split(_CHUNK):
        samples, _ = sampler.from_rays(len(size), *surface, SphereTracingConfig())
        values, gradients, features = with_features(surface.field, samples.places)
        slopes = (gradients * samples.directions).sum(dim=1)
        kept = (values.abs() < _ON_SURFACE) & (slopes < _TOWARDS_CAMERA)
        found = _Pool(
            samples.places,
            functional.normalize(gradients, dim=1),
            samples.directions,
            features,
            samples.expected,
            samples.views,
        )
        pieces.append(_Pool(*(tensor[kept] for tensor in found)))
    return _Pool(*(torch.cat(parts) for parts in zip(*pieces, strict=True)))
