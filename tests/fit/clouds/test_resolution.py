"""Finer grids for cleaner and denser scans."""

import pytest

from isopts.config import load_config
from isopts.fit.clouds.config import PointsConfig
from isopts.fit.clouds.prepared_cloud import PreparedCloud
from isopts.fit.clouds.resolution import finest_cell, follow_noise, grid_resolution


def test_resolution_follows_noise_and_spacing():
    assert grid_resolution(0.01, 0.007, averaged=False) < grid_resolution(0.005, 0.007, averaged=False)
    assert grid_resolution(0.0, 0.01, averaged=False) < grid_resolution(0.0, 0.005, averaged=False)
    assert grid_resolution(1.0, 1.0, averaged=False) == 12


def test_cells_grow_with_the_cube_root_of_the_noise_and_not_below_the_spacing():
    assert finest_cell(0.008, 0.008, averaged=False) == pytest.approx(2 * finest_cell(0.001, 0.008, averaged=False))
    assert finest_cell(0.0, 0.01, averaged=False) == pytest.approx(0.012)


def test_where_isopoints_average_the_scan_noise_coarsens_cells_only_so_far():
    assert finest_cell(0.03, 0.01, averaged=True) == finest_cell(0.02, 0.01, averaged=True)
    assert finest_cell(0.001, 0.01, averaged=True) == finest_cell(0.001, 0.01, averaged=False)
    assert finest_cell(0.03, 0.03, averaged=True) == pytest.approx(0.066)  # few points


@pytest.mark.parametrize("change", ["isopoints.enabled=false", "isopoints.consolidate_cells=0"])
def test_without_such_isopoints_the_grid_is_coarser(change):
    cloud = PreparedCloud(points=None, normals=None, noise=0.02, spacing=0.01, frame=None)
    finest = [
        follow_noise(load_config(PointsConfig, "points_fast", changes), cloud).field.grid.finest_resolution
        for changes in ([], [change])
    ]
    assert finest[0] > finest[1]


def test_a_resolution_that_was_asked_for_stays():
    cloud = PreparedCloud(points=None, normals=None, noise=0.02, spacing=0.01, frame=None)
    config = load_config(PointsConfig, "points_fast", ["follow_noise=false", "field.grid.finest_resolution=40"])
    assert follow_noise(config, cloud) == config
