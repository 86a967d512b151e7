"""Signed distances whose surfaces are known exactly."""

from types import SimpleNamespace

import pytest
import torch

Field = tuple[torch.Tensor, torch.Tensor]


def sphere(points: torch.Tensor, radius: float = 0.6, center: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Field:
    offsets = points - points.new_tensor(center)
    length = offsets.norm(dim=1).clamp_min(1e-12)
    return length - radius, offsets / length[:, None]


def torus(points: torch.Tensor, radius: float = 0.5, tube: float = 0.2) -> Field:
    """Around the z axis; its area is 4 pi^2 radius tube."""
    around = points[:, :2].norm(dim=1).clamp_min(1e-12)
    across = torch.stack([around - radius, points[:, 2]], dim=1)
    length = across.norm(dim=1).clamp_min(1e-12)
    across = across / length[:, None]
    outward = points[:, :2] / around[:, None] * across[:, :1]
    return length - tube, torch.cat([outward, across[:, 1:]], dim=1)


def box(points: torch.Tensor, half: tuple[float, float, float] = (0.5, 0.5, 0.5)) -> Field:
    """Exact signed distance of a box with sharp edges."""
    beyond = points.abs() - points.new_tensor(half)
    outside = beyond.clamp_min(0)
    length = outside.norm(dim=1)
    nearest_face = torch.nn.functional.one_hot(beyond.argmax(dim=1), 3).to(points.dtype)
    direction = torch.where(length[:, None] > 0, outside / length.clamp_min(1e-12)[:, None], nearest_face)
    return length + beyond.amax(dim=1).clamp_max(0), direction * torch.where(points < 0, -1.0, 1.0)


def two_spheres(points: torch.Tensor) -> Field:
    """A large one and a far smaller one, apart from each other."""
    first = sphere(points, 0.5, (-0.3, 0.0, 0.0))
    second = sphere(points, 0.08, (0.6, 0.3, 0.2))
    nearer = first[0] < second[0]
    return torch.where(nearer, first[0], second[0]), torch.where(nearer[:, None], first[1], second[1])


def kinked(points: torch.Tensor) -> Field:
    """A sphere seen through a field whose slope jumps from 1/4 to 4 at the surface: plain Newton steps overshoot."""
    value, gradient = sphere(points)
    slope = torch.where(value > 0, 4.0, 0.25)
    return value * slope, gradient * slope[:, None]


@pytest.fixture(scope="session")
def fields() -> SimpleNamespace:
    return SimpleNamespace(sphere=sphere, torus=torus, box=box, two_spheres=two_spheres, kinked=kinked)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)
