"""Rays against a signed distance field: IDR's tracer (Yariv et al., 2020, appendix)."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from pydantic import Field

from isopts.config import StrictModel

Value = Callable[[torch.Tensor], torch.Tensor]
"""(N, 3) -> signed distance (N,), negative inside."""


class SphereTracingConfig(StrictModel):
    """The defaults are IDR's."""

    threshold: float = Field(5e-5, gt=0, description="a ray has arrived at |f| <= threshold, unit frame")
    steps: int = Field(10, ge=1, description="steps from each end of a ray")
    line_search: int = Field(3, ge=0, description="times that a step through the surface is halved")
    samples: int = Field(100, ge=2, description="places at which rays that have not arrived are looked at")
    secant_steps: int = Field(8, ge=0, description="steps that make a crossing between two samples exact")


class Trace(NamedTuple):
    """distances (R,): along each ray, to the first crossing from outside to inside, or, of a ray that misses, to the
    smallest value met. hits (R,) bool. Rays that miss the unit sphere: the place nearest to its centre."""

    distances: torch.Tensor
    hits: torch.Tensor


@torch.no_grad()
def trace_rays(value: Value, origins: torch.Tensor, directions: torch.Tensor, config: SphereTracingConfig) -> Trace:
    """Trace rays (origins and unit directions (R, 3)) within the unit sphere.

    Both ends of the ray's part in the sphere move towards each other by the distance there, a step through the surface
    is halved; rays whose front has not arrived are sampled between the ends, the first crossing is made exact by
    secants. Marching waits for nothing from the device; the rays that are left are counted once.
    """
    near, far, inside = _sphere_crossings(origins, directions)
    front, front_values, back = _march(value, origins, directions, near, far, config)
    hits = inside & (front_values.abs() <= config.threshold) & (front <= back)
    left = torch.nonzero(inside & ~hits)[:, 0]
    sampled = _sample(value, origins[left], directions[left], near[left], far[left], config)
    distances = torch.where(inside, front, (near + far) / 2)
    distances[left], hits[left] = sampled.distances, sampled.hits
    return Trace(distances, hits)


def _sphere_crossings(
    origins: torch.Tensor, directions: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Distances (R,) to both crossings of the unit sphere, not behind the origin, and whether there are any."""
    middle = -(origins * directions).sum(dim=1)
    squared = 1 - (origins + middle[:, None] * directions).square().sum(dim=1)
    half = squared.clamp_min(0).sqrt()
    return (middle - half).clamp_min(0), (middle + half).clamp_min(0), (squared > 0) & (middle + half > 0)


def _march(
    value: Value,
    origins: torch.Tensor,
    directions: torch.Tensor,
    near: torch.Tensor,
    far: torch.Tensor,
    config: SphereTracingConfig,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Distances (R,) of the front, values there, and distances of the back."""
    count = len(origins)
    starts, rays = torch.cat((origins, origins)), torch.cat((directions, -directions))
    # the back marches along the reversed ray; both are kept as distances moved from their own end
    ends = torch.cat((origins + near[:, None] * directions, origins + far[:, None] * directions))
    moved = torch.zeros(len(starts), dtype=near.dtype, device=near.device)
    values = value(ends)
    for _ in range(config.steps):
        step = torch.where(values.abs() > config.threshold, values, 0.0).clamp_min(0)
        tried = moved + step
        tried_values = value(ends + tried[:, None] * rays)
        for _ in range(config.line_search):
            through = tried_values < -config.threshold
            step = torch.where(through, step / 2, step)
            tried = moved + step
            tried_values = torch.where(through, value(ends + tried[:, None] * rays), tried_values)
        moved, values = tried, tried_values
    return near + moved[:count], values[:count], far - moved[count:]


def _sample(
    value: Value,
    origins: torch.Tensor,
    directions: torch.Tensor,
    near: torch.Tensor,
    far: torch.Tensor,
    config: SphereTracingConfig,
) -> Trace:
    """The first crossing between even samples, or the smallest of them."""
    shares = torch.linspace(0, 1, config.samples, dtype=near.dtype, device=near.device)
    places = near[:, None] + shares * (far - near)[:, None]
    points = origins[:, None] + places[..., None] * directions[:, None]
    values = value(points.view(-1, 3)).view(-1, config.samples)
    crossing = (values[:, :-1] > 0) & (values[:, 1:] <= 0)
    hits = crossing.any(dim=1)
    before = crossing.int().argmax(dim=1, keepdim=True)
    low, high = places.gather(1, before)[:, 0], places.gather(1, before + 1)[:, 0]
    low_values, high_values = values.gather(1, before)[:, 0], values.gather(1, before + 1)[:, 0]
    crossed = low
    for _ in range(config.secant_steps):
        crossed = low + (high - low) * low_values / (low_values - high_values).clamp_min(1e-12)
        found = value(origins + crossed[:, None] * directions)
        outside = found > 0
        low, low_values = torch.where(outside, crossed, low), torch.where(outside, found, low_values)
        high, high_values = torch.where(outside, high, crossed), torch.where(outside, high_values, found)
    smallest = places.gather(1, values.argmin(dim=1, keepdim=True))[:, 0]
    return Trace(torch.where(hits, crossed, smallest), hits)
