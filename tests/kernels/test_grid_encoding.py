"""The Warp encoding against its definition: values and every gradient."""

import pytest
import torch

from isopts.errors import InputError
from isopts.kernels.grid_encoding.layout import GridLayout
from isopts.kernels.grid_encoding.op import encode
from isopts.kernels.grid_encoding.reference import encode_reference

DENSE = GridLayout.build(levels=3, base_resolution=2, finest_resolution=7, log2_table_size=12)
HASHED = GridLayout.build(levels=4, base_resolution=3, finest_resolution=24, log2_table_size=8)
LAYOUTS = {
    "dense": DENSE,
    "hashed": HASHED,
    "dense_quadratic": GridLayout.build(3, 2, 7, 12, "quadratic"),
    "hashed_quadratic": GridLayout.build(4, 3, 24, 8, "quadratic"),
    "one_cell_quadratic": GridLayout.build(1, 1, 1, 8, "quadratic"),
}


@pytest.fixture(params=LAYOUTS)
def layout(request):
    return LAYOUTS[request.param]


def _inputs(layout: GridLayout, count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    points = torch.rand((count, 3), generator=generator) * 2.4 - 1.2  # a third of the points leave the domain
    return points, torch.randn((layout.entries, 2), generator=generator)


def _gradients(encoder, points, table, layout, jacobian):
    points, table = points.clone().requires_grad_(), table.clone().requires_grad_()
    features, derivative = encoder(points, table, layout, jacobian)
    generator = torch.Generator().manual_seed(1)
    loss = (features * torch.randn(features.shape, generator=generator, dtype=torch.float64)).sum()
    if derivative is not None:
        loss = loss + (derivative * torch.randn(derivative.shape, generator=generator, dtype=torch.float64)).sum()
    return features, derivative, *torch.autograd.grad(loss, (points, table))


@pytest.mark.parametrize("count", [0, 1, 257, 2500])
@pytest.mark.parametrize("jacobian", [False, True])
def test_matches_the_definition_in_values_and_gradients(layout, count, jacobian):
    points, table = _inputs(layout, count)
    actual = _gradients(encode, points, table, layout, jacobian)
    expected = _gradients(encode_reference, points.double(), table.double(), layout, jacobian)
    for name, got, want in zip(("features", "jacobian", "d points", "d table"), actual, expected, strict=True):
        if want is None:
            assert got is None
            continue
        assert got.shape == want.shape
        scale = max([1.0, *want.detach().abs().flatten().tolist()])
        torch.testing.assert_close(got.double(), want, rtol=2e-5, atol=1e-5 * scale, msg=lambda m, n=name: f"{n}: {m}")


def test_layout_is_dense_where_it_fits_and_hashed_beyond():
    assert HASHED.resolutions == (3, 6, 12, 24)
    assert HASHED.sizes == (64, 256, 256, 256)
    assert HASHED.hashed == (False, True, True, True)
    assert HASHED.offsets == (0, 64, 320, 576)
    assert HASHED.entries == 832


def test_a_hashed_quadratic_level_has_whole_rows():
    layout = GridLayout.build(2, 4, 30, 10, "quadratic")
    assert layout.hashed == (False, True)
    assert layout.sizes == (6**3, 1024)
    assert layout.slots(0) == 0
    assert layout.slots(1) == 1024 - 32 + 1  # the last row ends with the level
    assert layout.entries == 6**3 + 1024 + 1


def test_hashed_rows_of_a_plane_across_x_spread_over_the_level():
    layout = GridLayout.build(1, 126, 126, 14, "quadratic")  # 16384 rows of 128 in 16384 entries
    axis = (torch.arange(126) + 0.5) / 63 - 1
    y, z = torch.meshgrid(axis, axis, indexing="ij")
    points = torch.stack((torch.full_like(y, 0.02), y, z), -1).reshape(-1, 3)
    table = torch.zeros(layout.entries, 2, requires_grad=True)
    encode(points, table, layout)[0].sum().backward()
    share = float((table.grad[:, 0] != 0).float().mean())
    assert share > 0.85  # three entries of each row, at random, touch 1 - exp(-3) = 0.95


@pytest.mark.parametrize("interpolation", ["linear", "quadratic"])
def test_definition_passes_the_numerical_gradient_check(interpolation):
    layout = GridLayout.build(2, 2, 4, 5, interpolation)
    points, table = _inputs(layout, 5)
    inside = (points.double() * 0.7).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x, t: encode_reference(x, t, layout, True), (inside, table.double().requires_grad_())
    )


def test_jacobian_is_the_derivative_of_the_features(layout):
    points, table = _inputs(layout, 64)
    points = points.double().requires_grad_()
    features, jacobian = encode_reference(points, table.double(), layout, True)
    for channel in range(layout.channels):
        (derivative,) = torch.autograd.grad(features[:, channel].sum(), points, retain_graph=True)
        torch.testing.assert_close(jacobian[:, channel], derivative)


def test_vertices_hold_their_own_entries_and_the_border_is_inside():
    layout = GridLayout.build(levels=1, base_resolution=4, finest_resolution=4, log2_table_size=10)
    axis = torch.linspace(-1, 1, 5)
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    points = torch.stack((x, y, z), -1).reshape(-1, 3)
    table = torch.randn((125, 2), generator=torch.Generator().manual_seed(0))
    features, jacobian = encode(points, table, layout, True)
    torch.testing.assert_close(features, table)
    forward_difference = (table[1] - table[0]) * 2  # the cell is half a unit wide
    torch.testing.assert_close(jacobian[0, :, 0], forward_difference)
    torch.testing.assert_close(jacobian[4, :, 0], (table[4] - table[3]) * 2)  # last vertex: the last cell's slope


def _controls(layout: GridLayout) -> torch.Tensor:
    """(entries, 3): where the control values of a layout of one dense level lie; the spare one anywhere."""
    (resolution,) = layout.resolutions
    axis = (torch.arange(resolution + layout.degree) - 0.5 * (layout.degree - 1)) * (2 / resolution) - 1
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    controls = torch.zeros(layout.entries, 3)
    controls[: layout.sizes[0]] = torch.stack((x, y, z), -1).reshape(-1, 3)
    return controls


@pytest.mark.parametrize("interpolation", ["linear", "quadratic"])
def test_a_linear_function_is_reproduced_up_to_the_border(interpolation):
    layout = GridLayout.build(1, 5, 5, 12, interpolation)
    slopes, constants = torch.tensor([[1.0, -2.0, 0.5], [0.3, 0.7, -1.1]]), torch.tensor([0.2, 1.0])
    points = torch.cat((_inputs(layout, 300)[0].clamp(-1, 1), torch.ones(1, 3), -torch.ones(1, 3)))
    features, jacobian = encode(points, _controls(layout) @ slopes.T + constants, layout, True)
    torch.testing.assert_close(features, points @ slopes.T + constants, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(jacobian, slopes.expand_as(jacobian), rtol=1e-5, atol=2e-5)


def test_weights_are_positive_and_sum_to_one(layout):
    points, table = _inputs(layout, 200)
    features, jacobian = encode(points, torch.ones_like(table), layout, True)
    torch.testing.assert_close(features, torch.ones_like(features))
    torch.testing.assert_close(jacobian, torch.zeros_like(jacobian), rtol=0, atol=1e-4)
    assert encode(points, table.abs(), layout)[0].min() >= 0


@pytest.mark.parametrize(("interpolation", "jump"), [("linear", True), ("quadratic", False)])
def test_only_the_linear_gradient_jumps_between_cells(interpolation, jump):
    layout = GridLayout.build(1, 8, 8, 12, interpolation)
    points, table = _inputs(layout, 100)
    for axis in range(3):
        below, above = points.clamp(-0.99, 0.99), points.clamp(-0.99, 0.99)
        below[:, axis], above[:, axis] = 0.25 - 1e-5, 0.25 + 1e-5  # 0.25 is a border of the cells
        (low, low_jacobian), (high, high_jacobian) = (encode(side, table, layout, True) for side in (below, above))
        torch.testing.assert_close(low, high, rtol=0, atol=1e-3)
        difference = (high_jacobian - low_jacobian).abs()
        assert (difference[:, :, axis].mean() > 1.0) == jump
        assert (difference.max() < 0.01) == (not jump)


def test_beyond_the_domain_features_are_constant(layout):
    table = _inputs(layout, 1)[1]
    edge = torch.tensor([[1.0, 0.3, -1.0]])
    beyond = torch.tensor([[1.7, 0.3, -40.0]])
    at_edge, _ = encode(edge, table, layout, True)
    outside, jacobian = encode(beyond, table, layout, True)
    assert torch.equal(at_edge, outside)
    assert torch.equal(jacobian[..., [0, 2]], torch.zeros_like(jacobian[..., [0, 2]]))
    assert jacobian[..., 1].abs().min() > 0


def test_a_point_that_is_not_finite_harms_no_other(layout):
    points, table = _inputs(layout, 6)
    expected, _ = encode(points, table, layout, True)
    points[1], points[3], points[4] = torch.nan, torch.inf, -1e38
    actual, jacobian = encode(points, table.requires_grad_(), layout, True)
    assert torch.equal(actual[[0, 2, 5]], expected[[0, 2, 5]])
    torch.autograd.grad(actual.sum() + jacobian.sum(), table)  # stays within the table


def test_one_and_two_threads_agree_bit_for_bit(layout):
    points, table = _inputs(layout, 5000)
    threads = torch.get_num_threads()
    results = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(_gradients(encode, points, table, layout, True))
    finally:
        torch.set_num_threads(threads)
    for one, two in zip(*results, strict=True):
        assert torch.equal(one, two)


def test_non_contiguous_inputs():
    points, table = _inputs(DENSE, 50)
    padded = torch.zeros((50, 5))
    padded[:, 1:4] = points
    expected, _ = encode(points, table, DENSE)
    assert torch.equal(encode(padded[:, 1:4], table, DENSE)[0], expected)


@pytest.mark.parametrize(
    ("points", "table", "word"),
    [
        (torch.zeros(4, 2), torch.zeros(DENSE.entries, 2), "points"),
        (torch.zeros(4, 3), torch.zeros(DENSE.entries + 1, 2), "table"),
        (torch.zeros(4, 3, dtype=torch.float64), torch.zeros(DENSE.entries, 2), "dtype"),
    ],
)
def test_wrong_arguments_are_named(points, table, word):
    with pytest.raises(InputError, match=word):
        encode(points, table, DENSE)


def test_impossible_layout_is_refused():
    with pytest.raises(InputError, match="levels"):
        GridLayout.build(levels=0, base_resolution=4, finest_resolution=8, log2_table_size=10)


@pytest.mark.parametrize("jacobian", [False, True])
def test_table_gradient_goes_into_the_buffer_on_top_of_what_is_there(layout, jacobian):
    points, table = _inputs(layout, 200)
    expected = _gradients(encode, points, table, layout, jacobian)
    buffer = torch.ones_like(table)

    def in_place(points, table, layout, jacobian):
        features, derivative = encode(points, table, layout, jacobian, buffer)
        return features + 0 * table.sum(), derivative  # autograd itself is told of no gradient

    found = _gradients(in_place, points, table, layout, jacobian)
    torch.testing.assert_close(found[2], expected[2])
    assert not found[3].any()
    torch.testing.assert_close(buffer - 1, expected[3], rtol=1e-4, atol=1e-4 * float(expected[3].abs().max()))


def test_only_the_kernels_add_in_place():
    points, table = (tensor.double() for tensor in _inputs(DENSE, 3))
    with pytest.raises(InputError, match="in place, got"):
        encode(points, table, DENSE, table_gradient=torch.zeros_like(table))
