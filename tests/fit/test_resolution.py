"""Finer grids for cleaner and denser scans."""

from isopts.fit.resolution import grid_resolution


def test_resolution_follows_noise_and_spacing():
    assert grid_resolution(noise=0.01, spacing=0.007) < grid_resolution(noise=0.005, spacing=0.007)
    assert grid_resolution(noise=0.0, spacing=0.01) < grid_resolution(noise=0.0, spacing=0.005)
    assert grid_resolution(noise=1.0, spacing=1.0) == 24
