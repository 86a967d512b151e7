"""Adam over several networks: which rates, and which Adam."""

import pytest
import torch

from isopts.field.build import FieldConfig, build_field
from isopts.field.grid import GridConfig
from isopts.field.lazy_adam import LazyAdam
from isopts.field.radiance import RadianceConfig, RadianceGridConfig, RadianceNetworkConfig, build_radiance
from isopts.field.siren import SirenConfig
from isopts.fit.optimizer import OptimizerConfig, Rates, build_optimizer, learning_rate_factor

GRID = FieldConfig(grid=GridConfig(levels=2, base_resolution=4, finest_resolution=8, width=8))
SIREN = FieldConfig(decoder="siren", siren=SirenConfig(width=16, depth=1))
COLORS = RadianceConfig(grid=RadianceGridConfig(levels=2, base_resolution=4, finest_resolution=8, width=8))
COLOR_NETWORK = RadianceConfig(decoder="network", network=RadianceNetworkConfig(width=16, depth=1))


def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture(autouse=True)
def no_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ISOPTS_CACHE", str(tmp_path))


def rate_of(optimizer, parameter):
    (group,) = [group for group in optimizer.param_groups if any(each is parameter for each in group["params"])]
    return group["lr"]


def test_each_network_and_each_table_has_its_rate():
    field, radiance = build_field(GRID, generator()), build_radiance(COLORS, 0, generator())
    first, second = Rates(learning_rate=0.1, table_learning_rate=0.2), Rates(learning_rate=0.3, table_learning_rate=0.4)
    optimizer = build_optimizer([(field, first), (radiance, second)], 0.95)
    for module, rates in ((field, first), (radiance, second)):
        for name, parameter in module.named_parameters():
            assert rate_of(optimizer, parameter) == (
                rates.table_learning_rate if name == "table" else rates.learning_rate
            )
    grouped = sum(len(group["params"]) for group in optimizer.param_groups)
    assert grouped == sum(1 for module in (field, radiance) for _ in module.parameters())


@pytest.mark.parametrize(
    ("field_config", "color_config", "lazy"),
    [(GRID, COLORS, True), (GRID, COLOR_NETWORK, True), (SIREN, COLORS, True), (SIREN, COLOR_NETWORK, False)],
)
def test_adam_is_lazy_with_a_grid_among_the_networks(field_config, color_config, lazy):
    field, radiance = build_field(field_config, generator()), build_radiance(color_config, 0, generator())
    optimizer = build_optimizer([(field, Rates()), (radiance, Rates())], 0.99)
    assert isinstance(optimizer, LazyAdam if lazy else torch.optim.Adam)
    before = [parameter.detach().clone() for module in (field, radiance) for parameter in module.parameters()]
    points = torch.rand((64, 3), generator=generator()) - 0.5
    for _ in range(2):  # a field's gradients must not add up over steps
        optimizer.zero_grad()
        values, gradients = field.value_and_gradient(points)
        colors = radiance(points, gradients, gradients.detach(), points[:, :0])
        (values.square().mean() + (gradients.norm(dim=1) - 2).square().mean() + colors.square().mean()).backward()
        optimizer.step()
    after = [parameter for module in (field, radiance) for parameter in module.parameters()]
    assert all(not torch.equal(old, new) for old, new in zip(before, after, strict=True))


def test_rates_rise_and_fall_with_progress():
    config = OptimizerConfig(warm_up_steps=10, decay_start=0.5, decay_final=0.01)
    assert learning_rate_factor(config, 5, 0.1) == 0.5
    assert learning_rate_factor(config, 10, 0.5) == 1.0
    assert learning_rate_factor(config, 100, 0.75) == pytest.approx(0.1)
    assert learning_rate_factor(config, 100, 1.0) == pytest.approx(0.01)
    halved = OptimizerConfig(warm_up_steps=0, schedule="halvings", halve_at=(10, 20))
    assert [learning_rate_factor(halved, step, 0.9) for step in (10, 11, 21)] == [1.0, 0.5, 0.25]
