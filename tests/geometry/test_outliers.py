import torch

from isopts.geometry.outliers import remote_points, scattered_points


def sphere_with_outliers() -> torch.Tensor:
    """3000 points of a unit sphere, then 60 in the cube around it."""
    generator = torch.Generator().manual_seed(8)
    surface = torch.nn.functional.normalize(torch.randn((3000, 3), generator=generator), dim=1)
    return torch.cat([surface, 3 * torch.rand((60, 3), generator=generator) - 1.5])


def test_scattered_points_are_off_the_surface() -> None:
    found = scattered_points(sphere_with_outliers(), ratio_max=0.05)
    assert found[:3000].float().mean() < 0.01
    assert found[3000:].float().mean() > 0.5


def test_remote_points_are_off_the_surface() -> None:
    found = remote_points(sphere_with_outliers())
    assert found[:3000].float().mean() < 0.01
    assert found[3000:].float().mean() > 0.7


def test_scale_does_not_matter() -> None:
    points = sphere_with_outliers().double()
    assert torch.equal(remote_points(points), remote_points(points * 1024))
    assert torch.equal(scattered_points(points), scattered_points(points * 1024))


def test_one_point_is_no_outlier() -> None:
    assert remote_points(torch.zeros(1, 3)).tolist() == [False]
