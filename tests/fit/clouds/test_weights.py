"""Trust in data points, against the formulas worked out for single points."""

import math

import pytest
import torch

from isopts.fit.clouds.weights import data_weights

UP = torch.tensor([[0.0, 0.0, 1.0]])
ORIGIN = torch.zeros(1, 3)


def weight(mode, height=0.0, aside=0.0, normal=UP, width=0.02):
    points = torch.tensor(
        [[aside, 0.0, height], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    )  # most of the scan is on the surface
    normals = torch.cat((normal, UP, UP))
    return float(data_weights(mode, points, normals, ORIGIN, UP, plane_width=width)[0])


def test_no_weights():
    assert weight("none", height=5.0) == 1.0


def test_distance_from_the_plane_counts_and_distance_along_it_does_not():
    assert weight("plane", height=0.02, aside=0.05) == pytest.approx(math.exp(-1))
    assert weight("plane", aside=0.05) == pytest.approx(1.0)


def test_bilateral_also_compares_normals():
    tilted = torch.tensor([[math.sin(math.pi / 3), 0.0, 0.5]])
    assert weight("bilateral", normal=tilted) == pytest.approx(math.exp(-1), rel=1e-4)
    assert weight("bilateral", height=0.02, normal=tilted) == pytest.approx(math.exp(-2), rel=1e-4)
    assert weight("bilateral", normal=-UP) < 1e-6


@pytest.mark.parametrize("mode", ["plane", "bilateral", "heat_kernel"])
def test_nothing_near_means_no_trust(mode):
    assert weight(mode, aside=0.11) == 0.0


def test_the_papers_width_follows_count_and_extent():
    isopoints = torch.rand(200, 3, generator=torch.Generator().manual_seed(0))
    isopoints[:, 2] = 0
    point = isopoints[:1] + 0.05 * UP
    found = data_weights("plane", point, UP, isopoints, UP.expand(200, 3))
    expected = math.exp(-(0.05**2) * 200 / (32 * float(isopoints.abs().max())))
    assert float(found) == pytest.approx(expected, rel=1e-4)


def test_heat_kernel_of_a_plane_is_that_of_its_height():
    isopoints = torch.rand(200, 3, generator=torch.Generator().manual_seed(0))
    isopoints[:, 2] = 0
    points = torch.cat((isopoints[:1] + 0.01 * UP, isopoints))
    normals = UP.expand(201, 3)
    found = data_weights("heat_kernel", points, normals, isopoints, normals[1:], plane_width=0.02)
    assert float(found[0]) == pytest.approx(math.exp(-0.25), rel=1e-4)
    assert float(found[1]) == pytest.approx(1.0)


def test_a_field_far_from_the_scan_does_not_distrust_it():
    points = torch.rand(200, 3, generator=torch.Generator().manual_seed(0))
    points[:, 2] = 0
    isopoints = points - 0.08 * UP
    found = data_weights("plane", points, UP.expand(200, 3), isopoints, UP.expand(200, 3), plane_width=0.02)
    assert found.min() == pytest.approx(math.exp(-0.25), rel=1e-3)
