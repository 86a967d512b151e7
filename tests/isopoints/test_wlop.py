import torch

from isopts.geometry.spacing import nearest_distances
from isopts.isopoints.wlop import WlopConfig, wlop


def noisy_sphere(count: int, noise: float) -> torch.Tensor:
    generator = torch.Generator().manual_seed(9)
    directions = torch.nn.functional.normalize(torch.randn((count, 3), generator=generator), dim=1)
    return directions * (1 + noise * torch.randn((count, 1), generator=generator))


def test_samples_become_even_and_lose_noise() -> None:
    cloud = noisy_sphere(10000, 0.02)
    samples = wlop(cloud[:1000], cloud, WlopConfig())
    before, after = nearest_distances(cloud[:1000]), nearest_distances(samples)
    assert after.std() / after.mean() < 0.7 * before.std() / before.mean()
    assert (samples.norm(dim=1) - 1).std() < 0.7 * (cloud[:1000].norm(dim=1) - 1).std()


def test_scale_does_not_matter() -> None:
    cloud = noisy_sphere(2000, 0.02).double()
    small, large = wlop(cloud[:200], cloud, WlopConfig()), wlop(1024 * cloud[:200], 1024 * cloud, WlopConfig())
    torch.testing.assert_close(large / 1024, small)


def test_a_handful_of_points_is_left_alone() -> None:
    cloud = noisy_sphere(4, 0.0)
    assert torch.equal(wlop(cloud, cloud, WlopConfig()), cloud)
