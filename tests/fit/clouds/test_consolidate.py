"""Iso-points of a wrong field move onto the scan, and stay where there is none."""

import torch
from torch.nn import functional

from isopts.fit.clouds.consolidate import Scan, consolidate


def directions(count, seed=0):
    return functional.normalize(torch.randn(count, 3, generator=torch.Generator().manual_seed(seed)), dim=1)


def sphere_scan(noise, field_radius, count=20_000):
    """Noisy points of a sphere of radius 0.5 as seen by the field of a sphere of another radius."""
    normals = directions(count)
    generator = torch.Generator().manual_seed(1)
    points = normals * (0.5 + noise * torch.randn(count, 1, generator=generator))
    noisy_normals = functional.normalize(normals + 0.2 * torch.randn(normals.shape, generator=generator), dim=1)
    return Scan(points, noisy_normals, points.norm(dim=1) - field_radius, normals, torch.ones(count))


def test_points_reach_the_scan_with_a_fraction_of_its_noise():
    scan, normals = sphere_scan(noise=0.01, field_radius=0.495), directions(500, seed=2)
    moved = consolidate(0.495 * normals, normals, scan, width=0.03)
    errors = moved.points.norm(dim=1) - 0.5
    assert errors.abs().mean() < 0.002  # the noise is 0.01, the field 0.005 off
    assert errors.mean().abs() < 0.0006  # a plane's average would lie width^2 / radius = 0.0018 too deep
    assert (moved.normals * normals).sum(dim=1).min() > 0.98
    assert (moved.confidences == 1).all()


def test_points_without_scan_stay_and_say_so():
    scan = sphere_scan(noise=0.0, field_radius=0.5)
    points, normals = torch.tensor([[2.0, 0, 0]]), torch.tensor([[1.0, 0, 0]])
    moved = consolidate(points, normals, scan, width=0.03)
    assert torch.equal(moved.points, points)
    assert torch.equal(moved.normals, normals)
    assert moved.confidences.tolist() == [0.0]


def test_distrusted_and_opposite_points_do_not_count():
    scan, normals = sphere_scan(noise=0.0, field_radius=0.5), directions(50, seed=2)
    count = len(scan.points)
    wrong = Scan(
        torch.cat((scan.points, scan.points)),
        torch.cat((scan.normals, -scan.normals)),
        torch.cat((scan.values, scan.values + 0.1)),
        torch.cat((scan.gradients, scan.gradients)),
        torch.ones(2 * count),
    )
    moved = consolidate(0.5 * normals, normals, wrong, width=0.03)
    assert (moved.points.norm(dim=1) - 0.5).abs().max() < 1e-3
    distrusted = wrong._replace(
        normals=torch.cat((scan.normals, scan.normals)), weights=torch.cat((torch.ones(count), torch.zeros(count)))
    )
    moved = consolidate(0.5 * normals, normals, distrusted, width=0.03)
    assert (moved.points.norm(dim=1) - 0.5).abs().max() < 1e-3


def test_no_point_of_a_dense_noisy_scan_is_left_out():
    scan, normals = sphere_scan(noise=0.03, field_radius=0.48, count=100_000), directions(300, seed=2)
    moved = consolidate(0.48 * normals, normals, scan, width=0.04)
    errors = moved.points.norm(dim=1) - 0.5
    assert errors.mean().abs() < 0.008  # the field is 0.02 off; with the nearest 128 points alone 0.0135 are left
    assert errors.std() < 0.002
    many = directions(3000, seed=3)  # more of them near a point of the scan than are searched at first
    moved_many = consolidate(0.48 * many, many, scan, width=0.04)
    alone = consolidate(0.48 * many[:10], many[:10], scan, width=0.04)
    torch.testing.assert_close(moved_many.points[:10], alone.points, atol=1e-5, rtol=0)
