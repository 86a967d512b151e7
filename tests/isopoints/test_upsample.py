import torch

from isopts.isopoints.project import ProjectionConfig
from isopts.isopoints.upsample import UpsampleConfig, upsample, widest_gaps


def test_new_points_go_where_the_gaps_are(fields, generator) -> None:
    points = 0.6 * torch.nn.functional.normalize(torch.randn((600, 3), generator=generator), dim=1)
    points = points[(points[:, 2] < 0) | (torch.arange(600) % 4 == 0)]  # the upper half is four times sparser
    result = upsample(fields.sphere, points, 1200, UpsampleConfig(), ProjectionConfig())
    assert len(result) == 1200
    assert torch.equal(result[: len(points)], points)
    assert fields.sphere(result)[0].abs().max() <= 1e-5
    assert (points[:, 2] > 0).float().mean() < 0.25
    assert 0.42 < (result[:, 2] > 0).float().mean() < 0.52


def test_the_widest_gap_by_hand() -> None:
    points = torch.tensor([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0], [-1.5, 0.0, 0.0]])
    proposals, distances = widest_gaps(points, 2)
    torch.testing.assert_close(proposals[0], torch.tensor([1.0, 0.0, 0.0]))  # a third of the way to the farther one
    torch.testing.assert_close(distances[0], torch.tensor(1.0))


def test_it_gives_up_where_there_is_no_surface(generator) -> None:
    def nowhere(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.ones(len(points)), torch.zeros_like(points)

    points = torch.rand((50, 3), generator=generator)
    assert torch.equal(upsample(nowhere, points, 100, UpsampleConfig(), ProjectionConfig()), points)


def test_enough_points_are_returned_as_they_are(fields, generator) -> None:
    points = torch.rand((50, 3), generator=generator)
    assert torch.equal(upsample(fields.sphere, points, 40, UpsampleConfig(), ProjectionConfig()), points)
