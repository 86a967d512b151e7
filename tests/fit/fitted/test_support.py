"""Which iso-points the scan supports."""

import pytest
import torch

from isopts.errors import InputError
from isopts.fit.fitted.support import SUPPORT_TENSORS, Support, interpolate_support, judge_support, stored_support


def directions(count: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn((count, 3), generator=generator), dim=1)


def test_a_missing_cap_has_clearance_and_the_rest_has_not():
    scan, isopoints = directions(20_000, 0), directions(1000, 1)
    scan = scan[scan[:, 2] < 0.8]
    support = judge_support(isopoints, isopoints, scan, scan, noise=0.0)
    spacing = (2 * torch.pi * 1.8 / len(scan)) ** 0.5
    inside = isopoints[:, 2] < 0.78
    assert support.clearances[inside].max() < 2 * spacing
    assert support.spacings[inside].median() == pytest.approx(spacing, rel=0.15)
    beyond = torch.arccos(torch.tensor(0.8)) - torch.arccos(isopoints[:, 2].clamp(-1, 1))
    above = isopoints[:, 2] > 0.83
    assert (support.clearances[above] - beyond[above]).abs().max() < 0.1 * beyond.max() + spacing


def test_noise_across_the_surface_is_no_distance():
    scan, isopoints = directions(20_000, 0), directions(500, 1)
    noisy = scan * (1 + 0.02 * torch.randn((len(scan), 1), generator=torch.Generator().manual_seed(2)))
    clearances = judge_support(isopoints, isopoints, noisy, scan, noise=0.02).clearances
    assert clearances.max() < 2 * (4 * torch.pi / len(scan)) ** 0.5


def test_the_back_of_an_open_sheet_has_no_support():
    scan = torch.rand((5000, 3), generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 1.0, 0.0])
    up = torch.tensor([0.0, 0.0, 1.0])
    isopoints = scan[:200] - 0.01 * up
    front = judge_support(isopoints, up.expand_as(isopoints), scan, up.expand_as(scan), noise=0.01)
    back = judge_support(isopoints, -up.expand_as(isopoints), scan, up.expand_as(scan), noise=0.01)
    assert front.clearances.max() < 0.02
    assert back.clearances.isinf().all()
    assert judge_support(isopoints, up.expand_as(isopoints), scan, up.expand_as(scan), 0.0).clearances.min() > 0.009


def test_beside_a_tenfold_denser_place_the_sparse_spacing_counts():
    scan = directions(40_000, 0)
    sparse = torch.arange(len(scan)) % 10 == 0
    scan = scan[(scan[:, 0] > 0) | sparse]
    isopoints = directions(2000, 1)
    support = judge_support(isopoints, isopoints, scan, scan, noise=0.0)
    assert (support.clearances / support.spacings).max() < 2


def test_values_between_isopoints_are_those_around_on_the_same_side():
    points = directions(2000, 0)
    support = Support(points, points, points[:, 2] + 1, torch.full((2000,), 0.1))
    places = directions(300, 1)
    clearances, spacings = interpolate_support(support, places, places)
    assert (clearances - places[:, 2] - 1).abs().max() < 0.1
    torch.testing.assert_close(spacings, torch.full((300,), 0.1))
    assert interpolate_support(support, places, -places)[0].isinf().all()


def test_a_checkpoint_brings_it_back_and_a_damaged_one_is_refused():
    points = directions(5, 0)
    tensors = {"isopoint_points": points, "isopoint_gradients": points}
    assert stored_support(tensors, torch.device("cpu")) is None
    tensors |= {name: torch.ones(5) for name in SUPPORT_TENSORS}
    assert torch.equal(stored_support(tensors, torch.device("cpu")).normals, points)
    with pytest.raises(InputError, match="damaged checkpoint"):
        stored_support(tensors | {"isopoint_spacings": torch.ones(4)}, torch.device("cpu"))
