"""New iso-points come where scores stand out, and lie on the surface."""

import pytest
import torch

from isopts.isopoints.concentrate import ConcentrateConfig, concentrate, high_scores
from isopts.isopoints.project import ProjectionConfig

CONFIG = ConcentrateConfig()


def test_scores_above_twice_the_median_are_chosen():
    scores = torch.full((400,), 1.0)
    scores[7], scores[9] = 2.5, 3.0
    assert torch.nonzero(high_scores(scores, CONFIG))[:, 0].tolist() == [7, 9]


def test_half_the_maximum_is_enough_where_all_are_high():
    scores = torch.linspace(0.9, 1.0, 100)  # twice the median is out of reach
    assert torch.nonzero(high_scores(scores, CONFIG))[:, 0].tolist() == [95, 96, 97, 98, 99]  # a twentieth of them


def test_never_more_than_fifty_of_many():
    scores = torch.cat((torch.zeros(3000), torch.linspace(1, 2, 2000)))
    chosen = high_scores(scores, CONFIG)
    assert chosen.sum() == 50
    assert scores[chosen].min() >= scores.topk(50).values.min()


def _sphere(points):
    return points.norm(dim=1) - 0.7, torch.nn.functional.normalize(points, dim=1)


@pytest.fixture
def sphere_points(device):
    generator = torch.Generator().manual_seed(0)
    return 0.7 * torch.nn.functional.normalize(torch.randn(2000, 3, generator=generator), dim=1).to(device)


def test_children_lie_on_the_surface_around_the_high_scores(sphere_points):
    scores = (sphere_points[:, 2] > 0.6).float()
    spacing = 0.04
    points, normals = concentrate(_sphere, sphere_points, scores, spacing, CONFIG, ProjectionConfig())
    assert len(points) > 200
    assert (points.norm(dim=1) - 0.7).abs().max() < 1e-4
    assert points[:, 2].min() > 0.6 - 0.15
    torch.testing.assert_close(normals, points / 0.7, atol=1e-3, rtol=0)
    assert torch.cdist(points, sphere_points).amin(dim=1).mean() > 0.1 * spacing  # new places


def test_no_more_children_than_the_share(sphere_points):
    few = ConcentrateConfig(children_share=0.05)
    generator = torch.Generator().manual_seed(1)
    scores = sphere_points[:, 0]
    points, _ = concentrate(_sphere, sphere_points, scores, 0.2, few, ProjectionConfig(), generator)
    assert len(points) == 100
