"""A field that begins as the soft visual hull of the masks."""

import torch
from torch import nn

from isopts.errors import InputError
from isopts.field.build import Field
from isopts.fit.losses import eikonal_loss
from isopts.fit.optimizer import Rates, build_optimizer, scale_rates
from isopts.fit.schedule import exponential_decay, warm_up
from isopts.fit.views.config import StartConfig
from isopts.geometry.hull_region import TOLERATED_MAX
from isopts.geometry.visual_hull import VisualHull
from isopts.kernels.visual_hull import Silhouettes

_UNSEEN = 0.2  # outside, as far as is known: unit frame
_ANYWHERE, _NEAR = 60_000, 140_000
_BAND, _SPREAD = 0.08, 0.02
_WITH_GRADIENT, _VALUES = 1536, 4608  # points a step
_WIDTH = 0.03  # errors farther from the hull than this count less
_WRONG_SHARE = 1 / 30
_RATES = Rates(learning_rate=1e-3, table_learning_rate=8e-3)


def wrong_masks(config: StartConfig, views: int) -> int:
    """How many silhouettes are outvoted."""
    wanted = int(_WRONG_SHARE * views) if config.wrong_masks < 0 else config.wrong_masks
    return min(wanted, views - 1, TOLERATED_MAX)


def start_as_hull(field: nn.Module, silhouettes: Silhouettes, config: StartConfig, generator: torch.Generator) -> float:
    """Fit `field` to the hull's distances; the mean error near its surface (unit frame) over the last steps.

    Raises InputError when the silhouettes allow no object.
    """
    hull = VisualHull(silhouettes, wrong_masks(config, len(silhouettes.first)), _UNSEEN)
    points, distances = _targets(hull, silhouettes.maps.device, generator)
    optimizer = build_optimizer([(field, _RATES)], second_moment_decay=0.99)
    errors = []
    for step in range(1, config.steps + 1):
        chosen = torch.randint(len(points), (_WITH_GRADIENT + _VALUES,), generator=generator).to(points.device)
        optimizer.zero_grad()
        loss, error = _losses(field, points[chosen], distances[chosen])
        loss.backward()
        scale_rates(optimizer, warm_up(step, 20) * exponential_decay(step / config.steps, 0.5, 0.1))
        optimizer.step()
        errors.append(error)
    return float(torch.stack(errors[-20:]).mean())


def _targets(hull: VisualHull, device: torch.device, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (N, 3) anywhere in the unit sphere and around the hull's surface, and the hull's distances there."""
    anywhere = 2 * torch.rand((2 * _ANYWHERE, 3), generator=generator) - 1
    anywhere = anywhere[anywhere.norm(dim=1) < 1][:_ANYWHERE].to(device)
    distances = hull(anywhere)
    near = anywhere[distances.abs() < _BAND]
    if len(near) == 0:
        raise InputError(
            "The masks have no visual hull in the region of interest; look at masks and poses with `isopts check`, or "
            "start as a sphere: --set start.init=sphere."
        )
    around = near[torch.randint(len(near), (_NEAR,), generator=generator).to(device)]
    around = around + _SPREAD * torch.randn(around.shape, generator=generator).to(device)
    return torch.cat((anywhere, around)), torch.cat((distances, hull(around)))


def _losses(field: Field, points: torch.Tensor, distances: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What is minimised, and the mean error near the surface."""
    values, gradients = field.value_and_gradient(points[:_WITH_GRADIENT])
    values = torch.cat((values, field.value(points[_WITH_GRADIENT:])))
    errors = (values - distances).abs()
    weights = _WIDTH / (distances.abs() + _WIDTH)
    near = distances.abs() < _WIDTH
    return 10 * (weights * errors).mean() + 0.1 * eikonal_loss(gradients), errors.detach()[near].mean()
