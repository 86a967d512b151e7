import math

import pytest
import torch

from isopts.isopoints.quality import measure_quality


def test_the_figures_of_a_square_lattice_with_one_point_missing() -> None:
    steps = torch.arange(5.0)
    lattice = torch.cartesian_prod(steps, steps, torch.zeros(1))
    points = lattice[(lattice[:, :2] != 2).any(dim=1)]
    values = torch.zeros(24)
    values[3] = -0.5
    quality = measure_quality(points, values, lattice, unconverged=0.25)
    assert quality.count == 24
    assert quality.residual_max == 0.5
    assert quality.residual_mean == pytest.approx(0.5 / 24)
    assert quality.spacing == 1
    assert quality.spacing_variation == 0
    assert quality.largest_hole == 1
    assert quality.unconverged == 0.25


def test_a_random_sample_varies_by_half() -> None:
    points = torch.rand((20000, 3), generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 1.0, 0.0])
    quality = measure_quality(points, torch.zeros(20000), points, 0.0)
    assert quality.spacing_variation == pytest.approx(0.5227, abs=0.02)  # sqrt(4 / pi - 1)
    assert quality.largest_hole == 0


@pytest.mark.parametrize("count", [0, 1])
def test_without_neighbours_nothing_is_known(count: int) -> None:
    quality = measure_quality(torch.zeros(count, 3), torch.zeros(count), torch.zeros(5, 3), 1.0)
    assert quality.count == count
    assert math.isnan(quality.spacing)
    assert math.isnan(quality.largest_hole)
