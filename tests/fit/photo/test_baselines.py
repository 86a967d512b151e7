"""Views are compared with their neighbours, however few they are."""

import pytest
import torch

from isopts.fit.photo.baselines import comparison_limits
from isopts.geometry.cameras import Cameras
from isopts.kernels.view_choice import ViewChoiceLimits


def ring(count):
    """Cameras around the origin, looking at it."""
    angles = 2 * torch.pi * torch.arange(count) / count
    zero, one = torch.zeros(count), torch.ones(count)
    forward = -torch.stack([angles.cos(), angles.sin(), zero], dim=1)
    down = torch.stack([zero, zero, -one], dim=1)
    rotations = torch.stack([torch.linalg.cross(down, forward), down, forward], dim=1)
    translations = torch.stack([zero, zero, 3 * one], dim=1)
    return Cameras(torch.eye(3).expand(count, 3, 3), rotations, translations, torch.full((count, 2), 64))


@pytest.mark.parametrize(("count", "degrees"), [(36, 40), (12, 40), (8, 1.3 * 45), (5, 75), (3, 75)])
def test_the_fewer_views_the_farther_apart_they_may_be(count, degrees):
    limits = comparison_limits(ring(count))
    assert limits.baseline_max_degrees == pytest.approx(degrees, abs=1e-3)
    assert limits._replace(baseline_max_degrees=40.0) == ViewChoiceLimits()
