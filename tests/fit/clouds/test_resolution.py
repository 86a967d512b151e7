"""Finer grids for cleaner and denser scans."""

import pytest

from isopts.fit.clouds.resolution import finest_cell, grid_resolution


def test_resolution_follows_noise_and_spacing():
    assert grid_resolution(noise=0.01, spacing=0.007) < grid_resolution(noise=0.005, spacing=0.007)
    assert grid_resolution(noise=0.0, spacing=0.01) < grid_resolution(noise=0.0, spacing=0.005)
    assert grid_resolution(noise=1.0, spacing=1.0) == 12


def test_cells_grow_with_the_cube_root_of_the_noise_and_not_below_the_spacing():
    assert finest_cell(0.008, 0.008) == pytest.approx(2 * finest_cell(0.001, 0.008))
    assert finest_cell(0.0, 0.01) == pytest.approx(0.012)
