"""Colour fields: what they depend on, that they learn, and that their gradients are right."""

import pytest
import torch

from isopts.field.geometric_mlp import GeometricMlpConfig, GeometricMlpField
from isopts.field.grid import GridConfig, GridField
from isopts.field.lazy_adam import LazyAdam
from isopts.field.radiance import (
    RadianceConfig,
    RadianceGridConfig,
    RadianceNetworkConfig,
    build_radiance,
    with_features,
)

GRID = RadianceGridConfig(levels=3, base_resolution=4, finest_resolution=16, log2_table_size=10, width=16)
CONFIGS = {
    "grid": RadianceConfig(decoder="grid", grid=GRID),
    "network": RadianceConfig(decoder="network", network=RadianceNetworkConfig(width=32, depth=2, view_frequencies=2)),
}
FEATURES = 5


@pytest.fixture(params=CONFIGS)
def radiance(request):
    return build_radiance(CONFIGS[request.param], FEATURES, torch.Generator().manual_seed(0))


def _inputs(count: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    points = 1.6 * torch.rand(count, 3, generator=generator) - 0.8
    units = [
        torch.nn.functional.normalize(torch.randn(count, 3, generator=generator), dim=1)
        for _ in ("normal", "direction")
    ]
    return [points, *units, torch.randn(count, FEATURES, generator=generator)]


@pytest.mark.parametrize("count", [0, 1, 33])
def test_colours_are_near_grey_at_first(radiance, count):
    colors = radiance(*_inputs(count))
    assert colors.shape == (count, 3)
    assert ((colors - 0.5).abs() < 0.5).all()


def test_it_depends_on_position_normal_and_direction(radiance):
    inputs = [tensor.requires_grad_() for tensor in _inputs(10)]
    gradients = torch.autograd.grad(radiance(*inputs).sum(), inputs, allow_unused=True)
    assert all(gradient.abs().sum() > 0 for gradient in gradients[:3])
    uses_features = gradients[3] is not None
    assert uses_features == (type(radiance).__name__ == "RadianceNetwork")


def test_the_gradient_of_the_position_is_the_difference_quotient(radiance):
    points, *rest = _inputs(40)
    points.requires_grad_()
    (gradient,) = torch.autograd.grad(radiance(points, *rest).sum(), points)
    step = 1e-3 * torch.nn.functional.normalize(gradient, dim=1)
    with torch.no_grad():
        rise = (radiance(points + step, *rest) - radiance(points - step, *rest)).sum(dim=1) / 2e-3
    slopes = gradient.norm(dim=1)
    assert ((rise - slopes).abs() < 0.02 * slopes.max()).float().mean() > 0.9  # a few cross a ReLU or a cell


def test_it_learns_a_picture_on_a_sphere(radiance):
    points, normals, directions, features = _inputs(400)
    points = 0.7 * torch.nn.functional.normalize(points, dim=1)
    target = 0.5 + 0.4 * torch.stack([torch.sin(4 * points[:, axis]) for axis in range(3)], dim=1)
    if hasattr(radiance, "accumulate_in_place"):
        radiance.accumulate_in_place = True
    optimizer, errors = LazyAdam(radiance.parameters(), lr=1e-2), []
    for _ in range(120):
        error = (radiance(points, normals, directions, features) - target).abs().mean()
        error.backward()
        optimizer.step()
        errors.append(float(error.detach()))
    assert errors[-1] < 0.25 * errors[0]


def test_features_come_from_the_sdf_network_alone():
    points = _inputs(7)[0]
    network = GeometricMlpField(GeometricMlpConfig(width=64, depth=3, skip=2, frequencies=2, features=FEATURES))
    value, gradient, features = with_features(network, points)
    assert features.shape == (7, FEATURES)
    torch.testing.assert_close(value, network.value(points))
    torch.testing.assert_close(gradient, network.value_and_gradient(points)[1])
    assert with_features(GridField(GridConfig(levels=2, finest_resolution=16)), points)[2].shape == (7, 0)
