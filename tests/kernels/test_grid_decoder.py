"""The fused decoder against its definition: values, gradients, and every derivative of both."""

import pytest
import torch

from isopts.errors import InputError
from isopts.kernels.grid_decoder.op import Decoder, decode, is_fused
from isopts.kernels.grid_decoder.reference import decode_reference
from isopts.kernels.grid_encoding.layout import GridLayout

LAYOUTS = {
    "three_levels": GridLayout.build(levels=3, base_resolution=3, finest_resolution=12, log2_table_size=8),
    "one_level": GridLayout.build(levels=1, base_resolution=5, finest_resolution=5, log2_table_size=10),
    "quadratic": GridLayout.build(3, 3, 12, 8, "quadratic"),
}


def _inputs(layout: GridLayout, count: int, units: int = 64, scale: float = 1.0) -> tuple[torch.Tensor, Decoder]:
    """Linear parts of about 0.01 x scale x normal: the softplus is used on both sides and around its bend."""
    generator = torch.Generator().manual_seed(0)
    points = torch.rand((count, 3), generator=generator) * 2.4 - 1.2
    return points, Decoder(
        torch.randn((layout.entries, 2), generator=generator),
        torch.randn((4 + layout.channels, units), generator=generator) * 0.01 * scale,
        torch.randn(units, generator=generator),
        torch.randn((), generator=generator),
    )


def _derivatives(function, points, decoder, layout, gradient):
    decoder = Decoder(*(tensor.clone().requires_grad_() for tensor in decoder))
    value, slope = function(points, decoder, layout, gradient)
    generator = torch.Generator().manual_seed(1)
    loss = (value * torch.randn(value.shape, generator=generator, dtype=torch.float64)).sum()
    if gradient:
        loss = loss + (slope * torch.randn(slope.shape, generator=generator, dtype=torch.float64)).sum()
    return [value, slope, *torch.autograd.grad(loss, decoder)]


def _definition(points, decoder, layout, gradient):
    return decode_reference(points, *decoder, layout, gradient)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("count", [0, 1, 255, 1300])
@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_matches_the_definition_in_values_and_derivatives(name, count, gradient, scale):
    layout = LAYOUTS[name]
    points, decoder = _inputs(layout, count, scale=scale)
    assert is_fused(points, decoder)
    actual = _derivatives(decode, points, decoder, layout, gradient)
    wide = Decoder(*(tensor.double() for tensor in decoder))
    expected = _derivatives(_definition, points.double(), wide, layout, gradient)
    for part, got, want in zip(("value", "gradient", *Decoder._fields), actual, expected, strict=True):
        if want is None:
            assert got is None
            continue
        bound = 1e-4 * max([1e-2, *want.detach().abs().flatten().tolist()])
        torch.testing.assert_close(got.double(), want, rtol=1e-4, atol=bound, msg=lambda m, p=part: f"{p}: {m}")


def test_definition_passes_the_numerical_gradient_check():
    layout = GridLayout.build(levels=2, base_resolution=2, finest_resolution=3, log2_table_size=5)
    points, decoder = _inputs(layout, 4, units=3)
    arguments = [tensor.double().requires_grad_() for tensor in (points * 0.7, *decoder)]
    assert torch.autograd.gradcheck(lambda x, *d: decode_reference(x, *d, layout, True), arguments)


def test_softplus_and_its_slope_are_accurate():
    layout = LAYOUTS["one_level"]
    decoder = Decoder(*(torch.zeros_like(tensor) for tensor in _inputs(layout, 0)[1]))
    decoder.input_weights[0, 5], decoder.output_weights[5] = 1, 1  # value = softplus(x)
    points = torch.zeros(4001, 3)
    points[:, 0] = torch.linspace(-0.4, 0.4, 4001)
    value, gradient = decode(points, decoder, layout, True)
    scaled = 100 * points[:, 0].double()
    softplus = torch.logaddexp(scaled, torch.zeros_like(scaled)) / 100
    torch.testing.assert_close(value.double(), softplus, rtol=5e-6, atol=1e-11)
    torch.testing.assert_close(gradient[:, 0].double(), torch.sigmoid(scaled), rtol=5e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["three_levels", "quadratic"])
def test_one_and_two_threads_agree_bit_for_bit(name):
    layout = LAYOUTS[name]
    points, decoder = _inputs(layout, 3000)
    threads = torch.get_num_threads()
    results = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(_derivatives(decode, points, decoder, layout, True))
    finally:
        torch.set_num_threads(threads)
    for one, two in zip(*results, strict=True):
        assert torch.equal(one, two)


def test_a_value_does_not_depend_on_the_other_points():
    layout = LAYOUTS["three_levels"]
    points, decoder = _inputs(layout, 700)
    together = decode(points, decoder, layout, True)
    apart = [decode(part, decoder, layout, True) for part in points.split(123)]
    for whole, parts in zip(together, zip(*apart, strict=True), strict=True):
        assert torch.equal(whole, torch.cat(parts))


@pytest.mark.parametrize("gradient", [False, True])
def test_table_gradient_goes_into_the_buffer_on_top_of_what_is_there(gradient):
    layout = LAYOUTS["three_levels"]
    points, decoder = _inputs(layout, 200)
    expected = _derivatives(decode, points, decoder, layout, gradient)[2]
    buffer = torch.ones_like(decoder.table)

    def in_place(points, decoder, layout, gradient):
        value, slope = decode(points, decoder, layout, gradient, buffer)
        return value + 0 * decoder.table.sum(), slope  # autograd itself is told of no gradient

    reported = _derivatives(in_place, points, decoder, layout, gradient)[2]
    assert not reported.any()
    torch.testing.assert_close(buffer - 1, expected, rtol=1e-4, atol=1e-4)


def test_points_that_need_a_gradient_take_the_definition():
    layout = LAYOUTS["three_levels"]
    points, decoder = _inputs(layout, 20)
    points.requires_grad_()
    value, slope = decode(points, decoder, layout, True)
    torch.testing.assert_close(torch.autograd.grad(value.sum(), points)[0], slope)
    with pytest.raises(InputError, match="fused"):
        decode(points, decoder, layout, True, torch.zeros_like(decoder.table))


def test_wrong_weights_are_named():
    layout = LAYOUTS["three_levels"]
    points, decoder = _inputs(layout, 3)
    with pytest.raises(InputError, match=r"input_weights.*\(10, hidden units\).*\(9, 64\)"):
        decode(points, decoder._replace(input_weights=torch.zeros(9, 64)), layout)
