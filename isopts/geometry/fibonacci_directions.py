"""Directions spread evenly over the sphere."""

import math

import torch


def fibonacci_directions(count: int) -> torch.Tensor:
    """(count, 3) unit vectors spread evenly over the sphere: equal steps of height, golden-angle steps around.

    Heights along z fall from near 1 to near -1; the first half covers the upper half sphere evenly.
    """
    index = torch.arange(count, dtype=torch.float64)
    height = 1 - (2 * index + 1) / count
    angle = index * math.pi * (3 - math.sqrt(5))
    across = (1 - height**2).sqrt()
    return torch.stack((across * angle.cos(), across * angle.sin(), height), 1).float()
