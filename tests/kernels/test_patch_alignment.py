"""Alignment agrees with its definition, and finds how far patches are from where wrong cameras say that they are."""

import pytest
import torch
from torch.nn.functional import normalize

from isopts.errors import BackendError, InputError
from isopts.kernels.patch_alignment import Alignment, align_patches
from isopts.kernels.patch_consistency import INVALID, PatchLimits, PatchViews

BACKENDS = pytest.mark.parametrize("backend", ["warp", "reference"])
FOCAL, HEIGHT = 300.0, 4.0
CENTERS = torch.tensor([[0.0, 0.0, HEIGHT], [0.5, 0.2, HEIGHT + 0.4], [-0.3, 0.4, HEIGHT - 0.4], [0.0, -0.6, HEIGHT]])
SIZES = [(141, 121), (161, 111), (131, 151), (120, 90)]


def texture(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    waves = ((19.0, 7.0, 0.3), (-11.0, 23.0, 1.0), (6.0, -13.0, 2.0), (31.0, 29.0, 0.5), (-27.0, 33.0, 1.7))
    return 127 + sum(22 * torch.sin(p * x + q * y + shift) for p, q, shift in waves)


@pytest.fixture
def views(device: torch.device) -> PatchViews:
    """Photographs of the textured plane z = 0, 75 pixels a unit, from above; the second one is darker."""
    turn = torch.diag(torch.tensor([1.0, -1.0, -1.0]))
    images, projections, backprojections = [], [], []
    for number, (center, (width, height)) in enumerate(zip(CENTERS, SIZES, strict=True)):
        intrinsics = torch.tensor([[FOCAL, 0, (width - 1) / 2], [0, FOCAL, (height - 1) / 2], [0, 0, 1]])
        back = turn.T @ intrinsics.inverse()
        row, column = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
        rays = torch.stack([column, row, torch.ones_like(row)], dim=2) @ back.T
        on_plane = center - rays * (center[2] / rays[..., 2:])
        greys = texture(on_plane[..., 0], on_plane[..., 1]) * (0.6 if number == 1 else 1.0)
        images.append(greys.round().to(torch.uint8).flatten())
        projections.append(intrinsics @ torch.cat([turn, (-turn @ center)[:, None]], dim=1))
        backprojections.append(back)
    pixels = torch.tensor([width * height for width, height in SIZES])
    masks = (torch.rand(int(pixels.sum()), generator=torch.Generator().manual_seed(1)) > 0.1).to(torch.uint8)
    sizes = torch.tensor(SIZES, dtype=torch.int32)
    cameras = (torch.stack(projections), torch.stack(backprojections), CENTERS)
    return PatchViews(*(t.to(device) for t in (torch.cat(images), masks, pixels.cumsum(0) - pixels, sizes, *cameras)))


def shifted(views: PatchViews, shifts: torch.Tensor) -> PatchViews:
    """The same photographs with cameras that are wrong by `shifts` (V, 2) pixels."""
    moves = torch.eye(3).repeat(len(shifts), 1, 1)
    moves[:, :2, 2] = -shifts
    return views._replace(projections=moves.to(views.projections) @ views.projections)


def surfels(count: int, device: torch.device, spread: float = 0.0) -> list[torch.Tensor]:
    """On the plane, or beside it and tilted, all seen by view 0 and sought in the others; zero shifts."""
    generator = torch.Generator().manual_seed(4)
    points = (torch.rand(count, 3, generator=generator) - 0.5) * torch.tensor([1.0, 0.6, spread])
    normals = normalize(torch.tensor([0.0, 0, 1]) + spread * torch.randn(count, 3, generator=generator), dim=1)
    references = torch.zeros(count, dtype=torch.int32)
    sources = torch.tensor([[1, 2, 3]], dtype=torch.int32).repeat(count, 1)
    return [part.to(device) for part in (points, normals, references, sources)]


def align(arguments: list[torch.Tensor], views: PatchViews, **options) -> Alignment:
    zeros = torch.zeros(*arguments[3].shape, 2, device=arguments[0].device)
    return align_patches(*arguments, views, options.pop("shifts", zeros), **options)


@pytest.mark.parametrize("spread", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("iterations", [1, 8])
def test_agrees_with_the_definition(views, device, spread, iterations):
    arguments = surfels(1000, device, spread)
    arguments[2][::7], arguments[3][::5, 1] = -1, -1
    wrong = shifted(views, torch.tensor([[0.0, 0.0], [0.7, -0.4], [-1.1, 0.5], [0.2, 0.9]]))
    starts = torch.randn(1000, 3, 2, generator=torch.Generator().manual_seed(5)).to(device)
    found, expected = (
        align(arguments, wrong, shifts=starts, iterations=iterations, backend=backend)
        for backend in ("warp", "reference")
    )
    same = (found.scores > INVALID) == (expected.scores > INVALID)
    assert same.float().mean() > 0.99
    assert 0.1 < (found.scores > INVALID).float().mean() < 0.95
    for name, part, other in zip(Alignment._fields, found, expected, strict=True):
        off = (part - other).abs() > 1e-3 + 1e-2 * other.abs()
        assert off[same].float().mean() < 0.01, name  # a step that ends in another pixel has another slope
    lost = found.scores == INVALID
    assert torch.equal(found.shifts[lost], starts[lost])
    assert (found.covariances[lost] == 0).all()


@BACKENDS
def test_finds_the_shifts_of_wrong_cameras(views, device, backend):
    truth = torch.tensor([[0.0, 0.0], [1.3, -0.7], [-2.0, 1.5], [0.3, 0.6]])
    found = align(surfels(300, device), shifted(views, truth), backend=backend)
    there = found.scores > 0.9
    assert there.float().mean() > 0.6
    errors = found.shifts - truth[1:].to(device)
    for slot in range(3):
        assert errors[:, slot][there[:, slot]].norm(dim=1).median() < 0.03
    deviations = found.covariances[..., [0, 2]].sqrt()[there]
    assert 0.2 < deviations.median() / errors[there].abs().median() < 2  # they tell how far off a shift may be


@BACKENDS
def test_an_edge_says_nothing_of_the_way_along_it(views, device, backend):
    """Stripes that run along the rows: shifts along columns are not found, or uncertain."""
    rows = torch.cat([torch.arange(h).repeat_interleave(w) for w, h in SIZES])
    noise = torch.randn(len(rows), generator=torch.Generator().manual_seed(6))
    stripes = (127 + 60 * torch.sin(rows / 2.0) + noise).round().to(torch.uint8)
    found = align(surfels(300, device), views._replace(greys=stripes.to(device)), backend=backend)
    there = found.scores > 0.5
    assert (found.covariances[..., 0][there] > 5 * found.covariances[..., 2][there]).float().mean() > 0.95


@BACKENDS
def test_blank_and_outside_patches_are_not_found(views, device, backend):
    blank = views._replace(greys=torch.full_like(views.greys, 99))
    assert (align(surfels(50, device), blank, backend=backend).scores == INVALID).all()
    away = surfels(50, device)
    away[0] += torch.tensor([5.0, 0, 0], device=device)
    assert (align(away, views, backend=backend).scores == INVALID).all()


def test_wrong_arguments_are_refused(views, device):
    arguments = surfels(5, device)
    with pytest.raises(InputError, match=r"shifts is \(5, 2, 2\)"):
        align(arguments, views, shifts=torch.zeros(5, 2, 2, device=device))
    with pytest.raises(InputError, match="detrend is True"):
        align(arguments, views, limits=PatchLimits(detrend=True))
    with pytest.raises(InputError, match="iterations is 0"):
        align(arguments, views, iterations=0)
    with pytest.raises(BackendError):
        align(arguments, views, backend="other")
