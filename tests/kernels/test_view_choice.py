"""The choice of views agrees with its definition, and keeps to its limits."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from isopts.errors import BackendError, InputError
from isopts.kernels.view_choice import ViewChoiceLimits, choose_views

BACKENDS = pytest.mark.parametrize("backend", ["warp", "reference"])


def surfels(count: int, views: int, device: torch.device) -> list[torch.Tensor]:
    """Points, cosines (a third of them 0), centres of cameras around and noise."""
    generator = torch.Generator().manual_seed(count + views)
    points = 0.5 * torch.randn(count, 3, generator=generator)
    centers = 3 * normalize(torch.randn(views, 3, generator=generator), dim=1)
    cosines = (1.5 * torch.rand(count, views, generator=generator) - 0.5).clamp(min=0)
    noise = torch.rand(count, views, generator=generator)
    return [part.to(device) for part in (points, cosines, centers, noise)]


def fan(degrees: list[float], device: torch.device) -> torch.Tensor:
    """Centres (V, 3) at these angles around the origin."""
    angles = torch.tensor(degrees, device=device) * (math.pi / 180)
    return torch.stack([angles.sin(), torch.zeros_like(angles), angles.cos()], dim=1)


@pytest.mark.parametrize(("count", "views"), [(1, 1), (1001, 2), (1001, 7), (1536, 49)])
@pytest.mark.parametrize(
    "limits",
    [
        ViewChoiceLimits(),
        ViewChoiceLimits(1, 1, 0.7, 0.0, 0.0, 180.0),
        ViewChoiceLimits(8, 8, 0.0, 0.1, 0.0, 90.0),
        ViewChoiceLimits(3, 5, 0.95, 0.9, 20.0, 120.0),
    ],
)
def test_agrees_with_the_definition(device, count, views, limits):
    arguments = surfels(count, views, device)
    found = choose_views(*arguments, limits)
    expected = choose_views(*arguments, limits, backend="reference")
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert (one == other).float().mean() > 0.998  # rounding decides about equals and limits
    if views == 49:
        assert (found.references >= 0).float().mean() > 0.3


@BACKENDS
def test_keeps_to_its_limits(device, backend):
    points, cosines, centers, noise = surfels(1536, 49, device)
    limits = ViewChoiceLimits(top=3, sources=4)
    references, sources = choose_views(points, cosines, centers, noise, limits, backend)
    chosen = references >= 0
    assert ((sources >= 0).any(dim=1) == chosen).all()
    assert (sources[:, :-1] >= 0)[sources[:, 1:] >= 0].all()  # those that are missing are last
    rows, slots = (sources >= 0).nonzero(as_tuple=True)
    views, bases = sources[rows, slots].long(), references[rows].long()
    assert (cosines[rows, views] > 0.5).all()
    assert (views != bases).all()
    directions = normalize(centers[None] - points[:, None], dim=2)
    degrees = torch.rad2deg((directions[rows, views] * directions[rows, bases]).sum(dim=1).acos())
    assert degrees.min() > 4.99
    assert degrees.max() < 40.01
    best = cosines.topk(3, dim=1).values[:, -1]
    assert (cosines[chosen].gather(1, references[chosen, None].long())[:, 0] >= best[chosen]).all()


@BACKENDS
def test_reference_is_drawn_in_proportion_to_the_cosine(device, backend):
    """Of 0.8, 0.6, 0.4 and 0.35 the first three; 0.2 never."""
    cosines = torch.tensor([0.2, 0.6, 0.35, 0.8, 0.4], device=device).repeat(20_000, 1)
    centers = fan([0, 10, 20, 30, 40], device)
    noise = torch.rand(20_000, 5, generator=torch.Generator().manual_seed(1)).to(device)
    limits = ViewChoiceLimits(source_cosine_min=0.1)
    references = choose_views(
        torch.zeros(20_000, 3, device=device), cosines, centers, noise, limits, backend
    ).references
    shares = torch.bincount(references, minlength=5) / 20_000
    torch.testing.assert_close(shares.cpu(), torch.tensor([0, 0.6, 0, 0.8, 0.4]) / 1.8, atol=0.02, rtol=0)


@BACKENDS
def test_reference_cases_one_by_one(device, backend):
    centers = fan([0, 10, 20], device)

    def reference(*cosines: float, noise: float = 0.0, **limits: float) -> int:
        limits = {"source_cosine_min": 0.1} | limits
        given = torch.tensor([cosines], device=device), centers, torch.full((1, 3), noise, device=device)
        return int(
            choose_views(torch.zeros(1, 3, device=device), *given, ViewChoiceLimits(**limits), backend).references
        )

    assert reference(0.9, 0.8, 0.2) == 0
    assert reference(0.9, 0.8, 0.2, noise=0.99) == 1
    assert reference(0.9, 0.8, 0.2, noise=0.99, top=1) == 0
    assert reference(0.9, 0.8, 0.2, noise=0.99, reference_cosine_min=0.85) == -1
    assert reference(0.26, 0.29, 0.2) == 1  # none to draw from: the best
    assert reference(0.2, 0.24, 0.2) == -1
    assert reference(0.0, 0.0, 0.0, reference_cosine_min=0.0) == -1
    assert reference(0.0, 0.9, 0.0) == -1  # no source
    assert reference(0.9, 0.0, 0.9, baseline_max_degrees=15.0) == -1
    assert reference(0.9, 0.9, 0.0, baseline_min_degrees=15.0) == -1


@BACKENDS
def test_sources_are_the_nearest_but_for_the_noise(device, backend):
    centers = fan([0, 30, -20, 3, 10, 45, 25], device)
    cosines = torch.tensor([[0.99, 0.6, 0.7, 0.98, 0.8, 0.7, 0.4]], device=device)
    noise = torch.zeros(1, 7, device=device)
    point = torch.zeros(1, 3, device=device)
    assert choose_views(point, cosines, centers, noise, backend=backend).sources.tolist() == [[4, 2, 1, -1]]
    noise[0, 1] = 0.9  # cos 30 + 0.135 > cos 10
    assert choose_views(point, cosines, centers, noise, backend=backend).sources.tolist() == [[1, 4, 2, -1]]
    two = ViewChoiceLimits(sources=2)
    assert choose_views(point, cosines, centers, noise, two, backend).sources.tolist() == [[1, 4]]


def test_same_result_for_one_and_two_threads(device):
    arguments = surfels(3000, 30, device)
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(choose_views(*arguments))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(*pair) for pair in zip(*results, strict=True))


@BACKENDS
def test_no_surfels_no_views(device, backend):
    references, sources = choose_views(*surfels(0, 5, device), backend=backend)
    assert (references.shape, sources.shape) == ((0,), (0, 4))


def test_refuses_what_does_not_fit(device):
    points, cosines, centers, noise = surfels(5, 4, device)
    with pytest.raises(InputError, match=r"points is \(5, 2\)"):
        choose_views(points[:, :2], cosines, centers, noise)
    with pytest.raises(InputError, match=r"cosines is \(5, 3\) torch.float32; expected \(5, 4\)"):
        choose_views(points, cosines[:, :3], centers, noise)
    with pytest.raises(InputError, match=r"noise is \(5, 4\) torch.float64"):
        choose_views(points, cosines, centers, noise.double())
    with pytest.raises(InputError, match=r"limits\.top is 9; expected 1 \.\.\. 8"):
        choose_views(points, cosines, centers, noise, ViewChoiceLimits(top=9))
    with pytest.raises(InputError, match="centers is empty"):
        choose_views(points, cosines[:, :0], centers[:0], noise[:, :0])
    with pytest.raises(BackendError, match="no backend 'frnn'"):
        choose_views(points, cosines, centers, noise, backend="frnn")
