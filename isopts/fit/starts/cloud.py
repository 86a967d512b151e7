"""A field that begins as the surface through oriented points, where there are no masks."""

import torch
from torch import nn
from torch.nn import functional

from isopts.fit.clouds.prepared_cloud import PreparedCloud
from isopts.fit.clouds.sign_samples import SignSamples, draw_sign_samples
from isopts.fit.losses import eikonal_loss, normal_loss, sign_loss
from isopts.fit.optimizer import Rates, build_optimizer, scale_rates
from isopts.fit.schedule import exponential_decay, warm_up

_SAMPLES = 200_000
_POINTS, _SIGNED = 1536, 4096  # a step
_CAP = 0.1  # points farther from the surface pull no harder: they are wrong
_NORMALS, _SIGNS, _EIKONAL = 0.05, 10.0, 0.1  # weights; points have 1
_SHELL = 0.4

REGION = 0.97
"""Radius beyond which there is no surface: within the unit sphere, which touches the domain, so that it closes."""
_RATES = Rates(learning_rate=1e-3, table_learning_rate=8e-3)


def start_as_cloud(field: nn.Module, cloud: PreparedCloud, steps: int, generator: torch.Generator) -> float:
    """Fit `field` to the points and normals of `cloud`, and to the sides that their winding number tells (see
    `draw_sign_samples`); beyond the region is outside. The mean |f| at the points over the last steps."""
    samples = within_sphere(draw_sign_samples(cloud, _SAMPLES, generator))
    optimizer = build_optimizer([(field, _RATES)], second_moment_decay=0.99)
    errors = []
    for step in range(1, steps + 1):
        on_surface = _choose(len(cloud.points), _POINTS, cloud.points, generator)
        signed = _choose(len(samples.points), _SIGNED, cloud.points, generator)
        optimizer.zero_grad()
        values, gradients = field.value_and_gradient(cloud.points[on_surface])
        part = SignSamples(*(tensor[signed] for tensor in samples))
        loss = values.abs().clamp_max(_CAP).mean() + _NORMALS * normal_loss(gradients, cloud.normals[on_surface])
        loss = loss + _EIKONAL * eikonal_loss(gradients)
        loss = loss + _SIGNS * sign_loss(field.value(part.points), part.distances, part.signs, part.confidences)
        loss.backward()
        scale_rates(optimizer, warm_up(step, 20) * exponential_decay(step / steps, 0.5, 0.1))
        optimizer.step()
        errors.append(values.detach().abs().mean())
    return float(torch.stack(errors[-20:]).mean())


def within_sphere(samples: SignSamples) -> SignSamples:
    """The samples beyond the region outside for certain, at least as far as they are from it."""
    beyond = samples.points.norm(dim=1) - REGION
    out = beyond > 0
    return SignSamples(
        samples.points,
        torch.where(out, torch.maximum(samples.distances, beyond), samples.distances),
        torch.where(out, 1.0, samples.signs),
        torch.where(out, 1.0, samples.confidences),
    )


def beyond_region(count: int, generator: torch.Generator) -> torch.Tensor:
    """(count, 3) random places of [-1, 1]^3 up to 0.4 beyond the region, the nearer the likelier."""
    directions = functional.normalize(torch.randn((count, 3), generator=generator), dim=1)
    return (directions * (REGION + _SHELL * torch.rand((count, 1), generator=generator).square())).clamp(-1, 1)


def _choose(population: int, count: int, like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return torch.randint(population, (count,), generator=generator).to(like.device)
