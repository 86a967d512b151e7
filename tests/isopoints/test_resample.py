import math

import pytest
import torch

from isopts.geometry.spacing import nearest_distances
from isopts.isopoints.project import ProjectionConfig, project
from isopts.isopoints.resample import ResampleConfig, resample

TORUS_AREA = 4 * math.pi**2 * 0.5 * 0.2


def points_on_torus(fields, count: int, generator: torch.Generator) -> torch.Tensor:
    points = 2 * torch.rand((6 * count, 3), generator=generator) - 1
    near = points[fields.torus(points)[0].abs() < 0.15][:count]
    return project(fields.torus, near, ProjectionConfig()).points


def variation(points: torch.Tensor) -> float:
    distances = nearest_distances(points)
    return float(distances.std() / distances.mean())


def test_a_random_sample_becomes_even(fields, generator) -> None:
    points = points_on_torus(fields, 2000, generator)
    spread = resample(fields.torus, points, TORUS_AREA, ResampleConfig(), ProjectionConfig())
    assert variation(points) > 0.45
    assert variation(spread.points) < 0.1
    assert spread.converged.all()
    assert fields.torus(spread.points)[0].abs().max() <= 1e-5
    hexagonal = math.sqrt(2 / math.sqrt(3) * TORUS_AREA / len(points))
    assert 0.8 * hexagonal < nearest_distances(spread.points).mean() < hexagonal


def test_the_scale_free_form_does_not_depend_on_scale(fields, generator) -> None:
    points = points_on_torus(fields, 500, generator).double()

    def larger(scaled: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        value, gradient = fields.torus(scaled / 8)
        return value * 8, gradient

    projection = ProjectionConfig(tolerance=1e-12, step_length_max=1.0)
    config = ResampleConfig(iterations=3)
    small = resample(fields.torus, points, TORUS_AREA, config, projection).points
    large = resample(larger, points * 8, TORUS_AREA * 64, config, projection).points
    torch.testing.assert_close(large / 8, small, atol=1e-9, rtol=0)


def test_the_papers_form_follows_its_equation(fields, generator) -> None:
    points = points_on_torus(fields, 300, generator).double()
    config = ResampleConfig(form="paper", iterations=1, k=299)
    projection = ProjectionConfig(tolerance=1e-13, steps_max=30)
    result = resample(fields.torus, points, math.nan, config, projection)
    start = project(fields.torus, points, projection)
    difference = start.points[:, None] - start.points[None]
    inverse = len(points) / (start.points.amax(0) - start.points.amin(0)).norm()
    weights = torch.exp(-difference.square().sum(2) * inverse).fill_diagonal_(0)
    tangent = difference - (difference * start.normals).sum(2, keepdim=True) * start.normals
    total = weights.sum(1, keepdim=True)
    moved = start.points + (1 + total) * (weights[:, :, None] * tangent).sum(1) / total
    expected = project(fields.torus, moved, projection).points
    torch.testing.assert_close(result.points[result.converged], expected[result.converged], atol=1e-9, rtol=0)


def test_two_sides_of_a_thin_wall_spread_independently(fields, generator) -> None:
    def plate(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return fields.box(points, (0.8, 0.8, 0.004))

    points = (2 * torch.rand((4000, 3), generator=generator) - 1) * 0.8
    points[:, 2] = points[:, 2].sign() * 0.004
    spread = resample(plate, points, 4 * 1.6**2 / 2, ResampleConfig(), ProjectionConfig()).points
    for side in (spread[spread[:, 2] > 0], spread[spread[:, 2] < 0]):
        distances = nearest_distances(side)[(side[:, :2].abs() < 0.7).all(dim=1)]
        assert distances.std() / distances.mean() < 0.11


def test_a_point_that_loses_the_surface_returns(generator) -> None:
    def patch(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # the plane z = 0 has its zeros where x < 0
        value = torch.where(points[:, 0] < 0, points[:, 2], torch.nan)
        return value, torch.tensor([0.0, 0.0, 1.0]).expand_as(points)

    points = torch.rand((200, 3), generator=generator) * torch.tensor([-0.5, 0.5, 0.0])
    spread = resample(patch, points, 0.25, ResampleConfig(iterations=1), ProjectionConfig())
    assert spread.converged.all()
    assert (spread.points[:, 0] < 0).all()


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_points_stay_on_the_surface(fields, count: int, generator) -> None:
    points = torch.nn.functional.normalize(torch.randn((count, 3), generator=generator), dim=1)
    spread = resample(fields.sphere, points, 1.0, ResampleConfig(), ProjectionConfig(step_length_max=1.0))
    assert spread.points.shape == (count, 3)
    assert spread.converged.all()
