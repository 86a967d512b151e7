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
