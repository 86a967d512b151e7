"""Clouds on which spatial searches go wrong."""

import pytest
import torch


def _gaussian(count: int) -> torch.Tensor:
    return torch.randn(count, 3, generator=torch.Generator().manual_seed(0))


def _lattice() -> torch.Tensor:
    axis = torch.arange(9.0)
    return torch.cartesian_prod(axis, axis, axis)[torch.randperm(9**3, generator=torch.Generator().manual_seed(1))]


_CLOUDS = {
    "one point": lambda: _gaussian(1),
    "fewer than k": lambda: _gaussian(5),
    "one block and a point": lambda: _gaussian(17),
    "gaussian": lambda: _gaussian(700),
    "line": lambda: _gaussian(700) * torch.tensor([1.0, 0.0, 0.0]),
    "diagonal plane": lambda: _gaussian(700) @ torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]),
    "lattice, with many equal distances": _lattice,
    "duplicates": lambda: _gaussian(60).repeat(8, 1),
    "all equal": lambda: torch.full((300, 3), 0.3),
    "far from the origin": lambda: _gaussian(700) * 5 + 1e6,
    "two scales": lambda: torch.cat([_gaussian(700) * 1e-6, _gaussian(20) * 1e6]),
    "three far clusters": lambda: _gaussian(700) * 1e-3 + torch.arange(700)[:, None] % 3 * 1e5,
}


@pytest.fixture(params=list(_CLOUDS))
def hard_cloud(request: pytest.FixtureRequest, device: torch.device) -> torch.Tensor:
    """(N, 3) float32."""
    return _CLOUDS[request.param]().to(device)
