import math

import pytest
import torch

from isopts.isopoints.extract import IsoPointsConfig, extract_isopoints
from isopts.isopoints.resample import ResampleConfig

COARSE = IsoPointsConfig(cell_resolution=48)


@pytest.mark.parametrize("name", ["sphere", "torus", "box", "two_spheres", "kinked"])
def test_iso_points_are_on_the_surface_even_and_without_holes(fields, generator, name: str) -> None:
    field = getattr(fields, name)
    extracted = extract_isopoints(field, 2000, COARSE, generator=generator)
    quality = extracted.quality
    assert len(extracted.points) == quality.count == 2000
    assert field(extracted.points)[0].abs().max() <= 1e-5
    assert quality.residual_max <= 1e-5
    assert quality.spacing_variation < 0.15
    assert quality.largest_hole < 1.6
    gradients = torch.nn.functional.normalize(field(extracted.points)[1], dim=1)
    torch.testing.assert_close(extracted.normals, gradients, atol=1e-5, rtol=0)


def test_each_component_gets_its_share(fields, generator) -> None:
    extracted = extract_isopoints(fields.two_spheres, 4000, COARSE, generator=generator)
    share = float((extracted.points[:, 0] > 0.4).float().mean())
    assert share == pytest.approx(0.08**2 / (0.08**2 + 0.5**2), rel=0.15)


def test_seeds_are_enough_to_follow_a_surface_that_moved(fields, generator) -> None:
    seeds = 0.62 * torch.nn.functional.normalize(torch.randn((500, 3), generator=generator), dim=1)
    extracted = extract_isopoints(fields.sphere, 1500, COARSE, seeds=seeds, generator=generator)
    assert len(extracted.points) == 1500
    assert extracted.quality.spacing_variation < 0.15
    assert extracted.quality.largest_hole < 1.6
    expected = math.sqrt(2 / math.sqrt(3) * 4 * math.pi * 0.6**2 / 1500)
    assert 0.8 * expected < extracted.quality.spacing < expected


def test_the_generator_decides_everything(fields) -> None:
    first, second, other = (
        extract_isopoints(fields.torus, 300, COARSE, generator=torch.Generator().manual_seed(seed)).points
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_no_surface_gives_no_points(generator) -> None:
    def outside(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.full_like(points[:, 0], 5.0), torch.zeros_like(points)

    extracted = extract_isopoints(outside, 100, COARSE, generator=generator)
    assert extracted.points.shape == (0, 3)
    assert extracted.quality.count == 0
    assert math.isnan(extracted.quality.spacing)


def test_points_outside_the_domain_are_left_out(fields, generator) -> None:
    def large(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return fields.sphere(points, 1.2)

    extracted = extract_isopoints(large, 500, COARSE, generator=generator)
    assert extracted.points.abs().max() <= 1
    assert extracted.quality.unconverged > 0


@pytest.mark.parametrize("method", ["paper", "released"])
def test_published_methods_reach_the_count_and_the_surface(fields, generator, method: str) -> None:
    resampling = ResampleConfig(form="paper", iterations=3, k=16, refresh_every=2)
    config = IsoPointsConfig(cell_resolution=48, method=method, resample=resampling)
    quality = extract_isopoints(fields.torus, 2000, config, generator=generator).quality
    assert quality.count == 2000
    assert quality.residual_max <= 1e-5
    assert quality.spacing_variation < 0.5
    assert quality.largest_hole < 3


def test_fewer_seeds_than_points_are_filled_up(fields, generator) -> None:
    seeds = 0.6 * torch.nn.functional.normalize(torch.randn((100, 3), generator=generator), dim=1)
    for method in ("uniform", "paper", "released"):
        config = IsoPointsConfig(method=method)
        assert len(extract_isopoints(fields.sphere, 700, config, seeds=seeds, generator=generator).points) == 700
