"""The contract of every decoder, building and restoring."""

import math

import pytest
import torch

from isopts.config import ConfigError
from isopts.errors import InputError
from isopts.field.build import FieldConfig, build_field, restore_field
from isopts.field.geometric_mlp import GeometricMlpConfig
from isopts.field.grid import GridConfig
from isopts.field.siren import SirenConfig
from isopts.geometry.fibonacci_directions import fibonacci_directions

GRID = GridConfig(
    levels=3,
    base_resolution=3,
    finest_resolution=9,
    log2_table_size=8,
    interpolation="linear",
    width=16,
    radius=0.6,
)
CONFIGS = {
    "grid": FieldConfig(decoder="grid", grid=GRID),
    "grid_fused": FieldConfig(decoder="grid", grid=GRID.model_copy(update={"width": 64})),
    "grid_quadratic": FieldConfig(
        decoder="grid", grid=GRID.model_copy(update={"width": 64, "interpolation": "quadratic"})
    ),
    "grid_two_layers": FieldConfig(decoder="grid", grid=GRID.model_copy(update={"depth": 2})),
    "siren": FieldConfig(decoder="siren", siren=SirenConfig(width=48, depth=2, omega=10.0, radius=0.6)),
    "sdf": FieldConfig(decoder="sdf", sdf=GeometricMlpConfig(width=64, depth=4, skip=2, frequencies=2, radius=0.6)),
}


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory):
    """Spheres are fitted once for this module; networks this small lose time on more than one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ISOPTS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
    torch.set_num_threads(threads)


@pytest.fixture(params=CONFIGS)
def config(request):
    return CONFIGS[request.param]


def _build(config: FieldConfig, disturbed: bool = True) -> torch.nn.Module:
    """A field; `disturbed` moves every parameter, so that no term of a gradient is zero by symmetry."""
    generator = torch.Generator().manual_seed(3)
    field = build_field(config, generator)
    if disturbed:
        with torch.no_grad():
            for parameter in field.parameters():
                parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return field


def _points(count: int) -> torch.Tensor:
    return torch.rand((count, 3), generator=torch.Generator().manual_seed(1)) * 2 - 1


def _loss(value: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    return (value * torch.sin(torch.arange(len(value)))).sum() + ((gradient.norm(dim=1) - 1) ** 2).sum()


def test_gradient_is_the_derivative_of_the_value(config):
    field, points = _build(config).double(), _points(40).double().requires_grad_()
    (expected,) = torch.autograd.grad(field.value(points).sum(), points)
    value, gradient = field.value_and_gradient(points)
    torch.testing.assert_close(value, field.value(points), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(gradient, expected, rtol=1e-6, atol=1e-7)


def test_one_backward_equals_double_back_propagation(config):
    """In float64 the definition, in float32 the fast path: both against differentiating the value twice."""
    single = _build(config)
    points = _points(65)
    actual = _parameter_gradients(single, _loss(*single.value_and_gradient(points)))
    double = _build(config).double()
    coordinates = points.double().requires_grad_()
    value = double.value(coordinates)
    (gradient,) = torch.autograd.grad(value.sum(), coordinates, create_graph=True)
    expected = _parameter_gradients(double, _loss(value, gradient))
    written_out = _parameter_gradients(double, _loss(*double.value_and_gradient(points.double())))
    for name, want in expected.items():
        scale = max(float(want.abs().max()), 1e-3)
        torch.testing.assert_close(written_out[name], want, rtol=1e-6, atol=1e-6 * scale, msg=lambda m, n=name: n + m)
        torch.testing.assert_close(
            actual[name].double(), want, rtol=2e-3, atol=2e-4 * scale, msg=lambda m, n=name: n + m
        )


def _parameter_gradients(field: torch.nn.Module, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    names, parameters = zip(*field.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss, parameters, materialize_grads=True)
    return dict(zip(names, gradients, strict=True))


def test_value_alone_trains_the_parameters_and_the_points(config):
    field, points = _build(config), _points(65).requires_grad_()
    gradients = torch.autograd.grad(field.value(points).square().sum(), (points, *field.parameters()))
    double = _build(config).double()
    wide = points.detach().double().requires_grad_()
    expected = torch.autograd.grad(double.value(wide).square().sum(), (wide, *double.parameters()))
    for got, want in zip(gradients, expected, strict=True):
        torch.testing.assert_close(got.double(), want, rtol=1e-3, atol=1e-4 * float(want.abs().max()))


def test_starts_as_a_sphere_negative_inside(config):
    field = _build(config, disturbed=False)
    directions = fibonacci_directions(300)
    with torch.no_grad():
        on_sphere, gradient = field.value_and_gradient(0.6 * directions)
        inside, outside = field.value(0.3 * directions), field.value(0.9 * directions)
    assert on_sphere.abs().mean() < 0.03
    assert on_sphere.abs().max() < 0.1
    assert inside.max() < -0.1
    assert outside.min() > 0.1
    assert torch.cosine_similarity(gradient, directions).mean() > 0.9


def test_same_generator_same_field(config):
    first, second = _build(config), _build(config)
    assert first.state_dict().keys() == second.state_dict().keys()
    for one, two in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, two)


def test_restored_field_is_the_saved_one(config, tmp_path):
    field, points = _build(config), _points(30)
    torch.save({"config": config.model_dump(), "state": field.state_dict()}, tmp_path / "field.pt")
    saved = torch.load(tmp_path / "field.pt", weights_only=True)
    restored = restore_field(saved["config"], saved["state"])
    assert torch.equal(restored.value(points), field.value(points))


def test_a_grid_saved_before_there_was_a_choice_is_linear():
    linear = FieldConfig(grid=GRID.model_copy(update={"interpolation": "linear"}))
    field, config = _build(linear), linear.model_dump()
    del config["grid"]["interpolation"]
    restored = restore_field(config, field.state_dict())
    assert torch.equal(restored.value(_points(30)), field.value(_points(30)))


@pytest.mark.parametrize("damage", ["missing", "unexpected", "shape", "not_a_tensor", "not_finite"])
def test_damaged_state_is_refused(config, damage):
    state = dict(_build(config).state_dict())
    name = next(iter(state))
    match damage:
        case "missing":
            del state[name]
        case "unexpected":
            state["stranger"] = torch.zeros(1)
        case "shape":
            state[name] = torch.zeros(5, 5, 5)
        case "not_a_tensor":
            state[name] = [1.0]
        case "not_finite":
            state[name] = torch.full_like(state[name], math.nan)
    with pytest.raises(InputError, match="stranger" if damage == "unexpected" else name):
        restore_field(config.model_dump(), state)


def test_foreign_configuration_is_refused():
    with pytest.raises(ConfigError, match="decodr"):
        restore_field({"decodr": "grid"}, {})


@pytest.mark.parametrize("wrong", [{"skip": 8}, {"skip": 9}, {"width": 64, "frequencies": 11}])
def test_impossible_layers_are_refused(wrong):
    with pytest.raises(ConfigError, match=r"sdf.*must"):
        restore_field({"decoder": "sdf", "sdf": wrong}, {})


def test_empty_input(config):
    value, gradient = _build(config).value_and_gradient(torch.zeros(0, 3))
    assert value.shape == (0,)
    assert gradient.shape == (0, 3)
