"""Clouds on which spatial searches go wrong; photographs of a textured plane and of balls."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch.nn.functional import normalize

from isopts.kernels.patch_consistency import PatchViews


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


def _texture(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Greys (0 ... 255) of the plane z = 0: waves of 0.15 to 1 units in several directions."""
    waves = ((19.0, 7.0, 0.3), (-11.0, 23.0, 1.0), (6.0, -13.0, 2.0), (31.0, 29.0, 0.5), (-27.0, 33.0, 1.7))
    return 127 + sum(22 * torch.sin(p * x + q * y + shift) for p, q, shift in waves)


def _camera(center: torch.Tensor, size: tuple[int, int], focal: float) -> tuple[torch.Tensor, ...]:
    """Intrinsics and rotation of a camera that looks at the origin."""
    forward = normalize(-center, dim=0)
    right = normalize(torch.linalg.cross(forward, torch.tensor([0.1, 1.0, 0.2])), dim=0)
    rotation = torch.stack([right, torch.linalg.cross(forward, right), forward])
    intrinsics = torch.tensor([[focal, 0.0, (size[0] - 1) / 2], [0, focal, (size[1] - 1) / 2], [0, 0, 1]])
    return intrinsics, rotation


def _photographs(
    centers: torch.Tensor, sizes: list[tuple[int, int]], radius: float | None = None, *, device: torch.device
) -> PatchViews:
    """Exact images of the textured plane z = 0, or of a ball below it that touches it at the origin; 70 pixels a unit,
    everything on the object."""
    images, projections, backprojections = [], [], []
    for center, (width, height) in zip(centers, sizes, strict=True):
        intrinsics, rotation = _camera(center, (width, height), 70 * float(center.norm()))
        back = rotation.T @ intrinsics.inverse()
        row, column = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
        rays = torch.stack([column, row, torch.ones_like(row)], dim=2) @ back.T
        depth = -center[2] / rays[..., 2] if radius is None else _depth_of_ball(center, rays, radius)
        hits = center + rays * depth[..., None]
        images.append(_texture(hits[..., 0], hits[..., 1]).round().to(torch.uint8).flatten())
        projections.append(intrinsics @ torch.cat([rotation, (-rotation @ center)[:, None]], dim=1))
        backprojections.append(back)
    pixels = torch.tensor([width * height for width, height in sizes])
    parts = (
        torch.cat(images),
        torch.full((int(pixels.sum()),), 255, dtype=torch.uint8),
        pixels.cumsum(0) - pixels,
        torch.tensor(sizes, dtype=torch.int32),
        torch.stack(projections),
        torch.stack(backprojections),
        centers,
    )
    return PatchViews(*(part.to(device) for part in parts))


def _depth_of_ball(center: torch.Tensor, rays: torch.Tensor, radius: float) -> torch.Tensor:
    """Along rays (..., 3), to the nearest place of the ball or, beside it, to where they are nearest to its middle."""
    to_camera = center + torch.tensor([0.0, 0.0, radius])
    square, slope = (rays * rays).sum(dim=-1), rays @ to_camera
    reach = slope * slope - square * (to_camera @ to_camera - radius**2)
    return (-slope - reach.clamp_min(0).sqrt()) / square


def _on_the_plane(count: int, device: torch.device) -> list[torch.Tensor]:
    """Surfels of the true plane, seen by view 0 and sought in views 1 and 2."""
    points = (torch.rand(count, 3, generator=torch.Generator().manual_seed(4)) - 0.5) * torch.tensor([1.0, 1.0, 0.0])
    normals = torch.tensor([0.0, 0.0, 1.0]).repeat(count, 1)
    references = torch.zeros(count, dtype=torch.int32)
    sources = torch.tensor([[1, 2]], dtype=torch.int32).repeat(count, 1)
    return [part.to(device) for part in (points, normals, references, sources)]


@pytest.fixture
def photographs(device: torch.device) -> Callable[..., PatchViews]:
    """See `_photographs`."""
    return partial(_photographs, device=device)


@pytest.fixture
def three(photographs: Callable[..., PatchViews]) -> PatchViews:
    """Views of the plane."""
    centers = torch.tensor([[0.2, -0.1, 4.0], [1.4, 0.3, 3.6], [-0.5, 1.2, 4.4]])
    return photographs(centers, [(141, 121), (161, 111), (131, 151)])


@pytest.fixture
def on_the_plane(device: torch.device) -> Callable[[int], list[torch.Tensor]]:
    """See `_on_the_plane`."""
    return partial(_on_the_plane, device=device)
