"""Fields whose surface is known exactly."""

import pytest
import torch

RADIUS = 0.6


class Ball:
    """Signed distance to a ball around the origin."""

    radius = RADIUS

    def value(self, points: torch.Tensor) -> torch.Tensor:
        return points.norm(dim=1) - self.radius

    def value_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.value(points), torch.nn.functional.normalize(points, dim=1)


@pytest.fixture
def ball() -> Ball:
    return Ball()


@pytest.fixture
def rays(device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Origins and directions (R, 3) from all sides, and how close (R,) each line comes to the origin."""
    generator = torch.Generator().manual_seed(0)
    origins = 2.5 * torch.nn.functional.normalize(torch.randn(1500, 3, generator=generator), dim=1)
    targets = 0.8 * (2 * torch.rand(1500, 3, generator=generator) - 1)
    directions = torch.nn.functional.normalize(targets - origins, dim=1)
    along = (origins * directions).sum(dim=1, keepdim=True)
    return origins.to(device), directions.to(device), (origins - along * directions).norm(dim=1).to(device)
