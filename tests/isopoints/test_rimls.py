import torch

from isopts.isopoints.project import ProjectionConfig, project
from isopts.isopoints.rimls import RimlsConfig, rimls


def test_noise_is_projected_away(generator) -> None:
    exact = torch.nn.functional.normalize(torch.randn((6000, 3), generator=generator), dim=1)
    points = exact * (1 + 0.02 * torch.randn((6000, 1), generator=generator))
    normals = torch.nn.functional.normalize(exact + 0.1 * torch.randn(exact.shape, generator=generator), dim=1)
    result = project(rimls(points, normals, RimlsConfig(k=40)), points, ProjectionConfig(tolerance=1e-3))
    assert result.converged.float().mean() > 0.98
    projected = result.points[result.converged]
    assert (projected.norm(dim=1) - 1).std() < 0.6 * (points.norm(dim=1) - 1).std()


def test_a_plane_is_exact_and_signed() -> None:
    points = torch.rand((400, 3), generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 1.0, 0.0])
    normals = torch.tensor([0.0, 0.0, 1.0]).expand_as(points)
    queries = torch.tensor([[0.5, 0.5, 0.02], [0.4, 0.6, -0.03]])
    value, gradient = rimls(points, normals)(queries)
    torch.testing.assert_close(value, queries[:, 2])
    torch.testing.assert_close(gradient, torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]))


def test_robust_weights_keep_an_edge_sharper_than_plain_averages(generator) -> None:
    along = torch.rand((8000, 2), generator=generator)
    side = torch.where(torch.arange(8000) % 2 == 0, -1.0, 1.0)
    points = torch.stack([side * along[:, 0], along[:, 1], -along[:, 0]], dim=1)
    normals = torch.stack([side, torch.zeros(8000), torch.ones(8000)], dim=1) / 2**0.5
    queries = torch.stack([torch.full((50,), 0.02), torch.linspace(0.3, 0.7, 50), torch.full((50,), -0.02)], dim=1)
    plain, robust = (
        rimls(points, normals, RimlsConfig(k=40, refits=refits))(queries)[0].abs().mean() for refits in (1, 4)
    )
    assert robust < 0.5 * plain
