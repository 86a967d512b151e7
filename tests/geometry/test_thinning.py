"""Fewer points: the same surface, less noise, nothing averaged across gaps, edges or walls."""

import pytest
import torch
from torch.nn import functional

from isopts.geometry.noise import estimate_noise
from isopts.geometry.thinning import thin_points


def sphere(count, noise=0.0, seed=0):
    """Noisy points of the unit sphere and their exact normals."""
    generator = torch.Generator().manual_seed(seed)
    normals = functional.normalize(torch.randn(count, 3, generator=generator), dim=1)
    return normals + noise * torch.randn(count, 3, generator=generator), normals


@pytest.mark.parametrize(("count", "group", "left"), [(1000, 1, 1000), (1000, 10, 100), (1009, 10, 101), (7, 4, 2)])
def test_one_point_a_group(count, group, left):
    points, normals = sphere(count)
    thinned = thin_points(points, normals, group)
    assert thinned.points.shape == thinned.normals.shape == (left, 3)
    torch.testing.assert_close(thinned.normals.norm(dim=1), torch.ones(left))
    if group == 1:
        assert torch.equal(thinned.points.sort(dim=0).values, points.sort(dim=0).values)


def test_small_noise_falls_by_the_root_of_the_group():
    points, _ = sphere(100_000, noise=0.003)
    heights = [thin_points(points, None, group).points.norm(dim=1) - 1 for group in (1, 25)]
    before, after = (float(each.std()) for each in heights)
    assert before == pytest.approx(0.003, rel=0.05)
    assert after < 0.3 * before  # 1/5, and the curvature of the groups
    assert abs(float(heights[1].mean())) < 0.2 * before


def test_noise_wider_than_a_group_is_sampled_as_it_is():
    points, normals = sphere(100_000, noise=0.03)
    thinned = thin_points(points, normals, 4)
    before, after = (float((each.norm(dim=1) - 1).std()) for each in (points, thinned.points))
    assert 0.9 * before < after < before
    assert estimate_noise(thinned.points) == pytest.approx(0.03, rel=0.15)


def test_density_stays_proportional():
    points, normals = sphere(40_000)
    kept = (normals[:, 2] < 0) | (torch.arange(len(points)) % 10 == 0)
    thinned = thin_points(points[kept], normals[kept], 8)
    upper = float((points[kept][:, 2] > 0).float().mean())
    assert float((thinned.points[:, 2] > 0).float().mean()) == pytest.approx(upper, abs=0.01)


def test_outliers_keep_their_share_and_move_no_surface():
    points, _ = sphere(50_000)
    outliers = 6 * torch.rand((5000, 3), generator=torch.Generator().manual_seed(1)) - 3
    heights = (thin_points(torch.cat((points, outliers)), None, 10).points.norm(dim=1) - 1).abs()
    far = float((heights > 0.05).float().mean())
    assert far == pytest.approx(5000 / 55_000, rel=0.15)
    assert heights[heights < 0.05].mean() < 0.002


def test_two_sides_of_a_wall_are_not_averaged():
    generator = torch.Generator().manual_seed(0)
    points = torch.rand((20_000, 3), generator=generator)
    side = (torch.arange(20_000) % 2).float()
    points[:, 2] = 0.002 * side  # far thinner than the spacing of 0.01
    normals = functional.pad(torch.zeros(20_000, 2), (0, 1)) + torch.stack((0 * side, 0 * side, 2 * side - 1), 1)
    thinned = thin_points(points, normals, 16)
    on_a_side = torch.minimum(thinned.points[:, 2].abs(), (thinned.points[:, 2] - 0.002).abs())
    assert on_a_side.max() < 1e-6
    assert torch.equal(thinned.normals[:, 2].sign(), (thinned.points[:, 2] > 0.001).float() * 2 - 1)


def test_equal_points_and_a_repeated_call():
    points = torch.ones(100, 3)
    assert torch.equal(thin_points(points, None, 10).points, torch.ones(10, 3))
    points, normals = sphere(3000, noise=0.01)
    one, two = thin_points(points, normals, 7), thin_points(points, normals, 7)
    assert torch.equal(one.points, two.points)
    assert torch.equal(one.normals, two.normals)
