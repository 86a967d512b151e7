"""What steers a fit of a scan."""

import pytest
import torch
from torch.nn import functional

from isopts.config import load_config
from isopts.field.build import build_field
from isopts.fit.clouds.config import PointsConfig
from isopts.fit.clouds.objective import PointsObjective
from isopts.fit.clouds.prepared_cloud import PreparedCloud
from isopts.geometry.frames import WorldToUnit

SMALL = ("isopoints.count=400", "isopoints.first_step=1", "field.grid.finest_resolution=16")


@pytest.fixture
def sphere_scan() -> PreparedCloud:
    """Of the sphere that a new field is."""
    normals = functional.normalize(torch.randn((3000, 3), generator=torch.Generator().manual_seed(0)), dim=1)
    return PreparedCloud(0.5 * normals, normals, noise=0.0, spacing=0.03, frame=WorldToUnit(1.0, (0.0, 0.0, 0.0)))


@pytest.mark.parametrize("edge_aware", ["null", "{}"])
def test_gradients_of_isopoints_are_those_of_the_field(sphere_scan, edge_aware):
    """Bilateral normals instead turned iso-points away from the surface that they were to move along."""
    config = load_config(PointsConfig, "points_fast", [*SMALL, f"isopoints.extraction.edge_aware={edge_aware}"])
    generator = torch.Generator().manual_seed(1)
    field = build_field(config.field, generator)
    objective = PointsObjective(field, sphere_scan, None, config, generator)
    assert "iso-points" in objective.refresh(1)
    found = objective.isopoints
    expected = functional.normalize(field.value_and_gradient(found.points)[1], dim=1).detach()
    assert len(found.points) > 300
    torch.testing.assert_close(found.gradients, expected, atol=5e-3, rtol=0)


class RoundedCube:
    """Of half side 0.5, its edges as a fitted field rounds them."""

    def value(self, points: torch.Tensor) -> torch.Tensor:
        beyond = points.abs() - 0.48
        outside = beyond.clamp_min(0).square().sum(dim=1).clamp_min(1e-12).sqrt()
        return outside + beyond.amax(dim=1).clamp_max(0) - 0.02

    def value_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.enable_grad():
            inputs = points.detach().requires_grad_()
            values = self.value(inputs)
            return values.detach(), torch.autograd.grad(values.sum(), inputs)[0]


@pytest.fixture
def cube_scan() -> PreparedCloud:
    generator = torch.Generator().manual_seed(0)
    points, rows = torch.rand((20_000, 3), generator=generator) - 0.5, torch.arange(20_000)
    axes = torch.randint(0, 3, (20_000,), generator=generator)
    points[rows, axes] = points[rows, axes].sign() / 2
    normals = torch.zeros_like(points).index_put_((rows, axes), points[rows, axes].sign())
    return PreparedCloud(points, normals, noise=0.0, spacing=0.02, frame=WorldToUnit(1.0, (0.0, 0.0, 0.0)))


@pytest.mark.parametrize(("edge_aware", "least", "most"), [("null", 0.0, 0.1), ("{}", 0.8, 1.0)])
def test_isopoints_on_rounded_edges_do_not_steer(cube_scan, edge_aware, least, most):
    """Their averages of both faces bevelled edges."""
    config = load_config(PointsConfig, "points_fast", [*SMALL[1:], f"isopoints.extraction.edge_aware={edge_aware}"])
    objective = PointsObjective(RoundedCube(), cube_scan, None, config, torch.Generator().manual_seed(1))
    objective.refresh(1)
    found = objective.isopoints
    steepest = found.gradients.abs().amax(dim=1)
    on_edge, on_face = steepest < 0.85, steepest > 0.999
    assert int(on_edge.sum()) > 20
    assert found.confidences[on_face].mean() > 0.95
    assert least <= (found.confidences[on_edge] == 0).float().mean() <= most
