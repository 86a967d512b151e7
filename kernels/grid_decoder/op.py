"""Signed distance and gradient of a grid field with one hidden layer, fused for the CPU."""

from typing import NamedTuple

import torch

from isopts.errors import InputError
from isopts.kernels.backends import note_backend
from isopts.kernels.grid_decoder import kernel
from isopts.kernels.grid_decoder.reference import decode_reference
from isopts.kernels.grid_encoding.layout import FEATURES, GridLayout, level_table
from isopts.kernels.grid_encoding.op import check_arguments
from isopts.kernels.launch import launch

_RUN = 256  # points that share a sum of weight gradients: fixed, so the result does not depend on the threads


class Decoder(NamedTuple):
    """Parameters of the field, all of one dtype on one device.

    table: (layout.entries, 2). input_weights: (4 + 2 L, H), the rows for x, y, z, 1 (the biases) and the features.
    output_weights: (H,). output_bias: ().
    """

    table: torch.Tensor
    input_weights: torch.Tensor
    output_weights: torch.Tensor
    output_bias: torch.Tensor


def decode(
    points: torch.Tensor,
    decoder: Decoder,
    layout: GridLayout,
    gradient: bool = False,
    table_gradient: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Value softplus_100((x, 1, features(x)) W) . w + b, and its exact gradient with respect to x.

    Args:
        points: (N, 3); see `grid_encoding.op.encode` for the domain and its border.
        gradient: also return d value / d points.
        table_gradient: shaped like the table. If given, backward adds the table's gradient to it in place and reports
            none to autograd: no dense tensor a call. Only where `is_fused` holds.

    Returns:
        value (N,) and gradient (N, 3) or None, both differentiable once with respect to the decoder. Differentiable
        with respect to the points, too, but then on the slower path of the reference.

    The fused kernels serve float32 on the CPU, 64 units, and points that need no gradient; the reference, with the
    encoding kernels, serves the rest: on a GPU the library's matrix products beat one thread a point.
    """
    check_arguments(points, decoder.table, layout)
    inputs = 4 + layout.channels
    if decoder.input_weights.dim() != 2 or decoder.input_weights.shape[0] != inputs:
        raise InputError(
            f"input_weights: expected shape ({inputs}, hidden units), got {tuple(decoder.input_weights.shape)}"
        )
    if not is_fused(points, decoder):
        if table_gradient is not None:
            raise InputError("table_gradient: only the fused CPU path (float32, 64 units) accumulates in place")
        note_backend("grid_decoder", "reference")
        return decode_reference(points, *decoder, layout, gradient)
    return _Decode.apply(points, *decoder, layout, gradient, table_gradient)


def is_fused(points: torch.Tensor, decoder: Decoder) -> bool:
    """Whether `decode` takes the fused kernels."""
    return (
        points.device.type == "cpu"
        and decoder.table.dtype == torch.float32
        and decoder.input_weights.shape[1] == kernel.UNITS
        and not (torch.is_grad_enabled() and points.requires_grad)
    )


class _Decode(torch.autograd.Function):
    @staticmethod
    def forward(ctx, points, table, input_weights, output_weights, output_bias, layout, with_gradient, table_gradient):
        points, weights = points.contiguous(), input_weights.contiguous()
        differentiated = len(points) if with_gradient else 0
        inputs = points.new_empty((len(points), len(weights)))
        input_gradients = points.new_empty((differentiated, len(weights)))
        jacobian = points.new_empty((differentiated, layout.levels, FEATURES, 3))
        value, gradient = points.new_empty(len(points)), points.new_empty((differentiated, 3))
        arguments = [points, table, level_table(layout, points.device)]
        arguments += [weights.view(-1), output_weights.view(1, -1), output_bias.view(1), inputs.view(-1), jacobian]
        arguments += [input_gradients.view(-1), value, gradient]
        launch(kernel.decode_kernel, len(points), arguments, points.device)
        ctx.save_for_backward(points, table, weights, output_weights, inputs, input_gradients, jacobian)
        ctx.layout, ctx.table_gradient = layout, table_gradient
        return value, gradient if with_gradient else None

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, value_gradient, gradient_gradient):
        points, table, weights, output_weights, inputs, input_gradients, jacobian = ctx.saved_tensors
        value_gradient = value_gradient.contiguous()
        gradient_gradient = points[:0] if gradient_gradient is None else gradient_gradient.contiguous()
        adjoints = torch.empty_like(inputs)
        runs = -(-len(points) // _RUN)
        tangents, weight_sums = weights.new_zeros((runs, len(weights))), weights.new_zeros((runs, *weights.shape))
        output_sums = weights.new_empty((runs, weights.shape[1]))
        arguments = [_RUN, inputs.view(-1), jacobian, weights.view(-1), output_weights.view(1, -1), value_gradient]
        arguments += [gradient_gradient, tangents.view(-1), adjoints.view(-1), weight_sums.view(-1), output_sums]
        launch(kernel.decode_backward_kernel, runs, arguments, points.device, grain=1)
        table_gradient = _scatter(ctx, points, table, adjoints, input_gradients, gradient_gradient)
        return (
            None,
            table_gradient,
            weight_sums.sum(0),
            output_sums.sum(0),
            value_gradient.sum(),
            None,
            None,
            None,
        )


def _scatter(ctx, points, table, adjoints, input_gradients, gradient_gradient) -> torch.Tensor | None:
    """The table's gradient, or None where it went into the caller's buffer or is not needed."""
    if not ctx.needs_input_grad[1]:
        return None
    target = torch.zeros_like(table) if ctx.table_gradient is None else ctx.table_gradient
    run = max(len(points), 1)  # CPU atomics are plain adds: a level is one task
    arguments = [run, points, level_table(ctx.layout, points.device), adjoints.view(-1), input_gradients.view(-1)]
    tasks = ctx.layout.levels if len(points) else 0
    launch(kernel.table_gradient_kernel, tasks, [*arguments, gradient_gradient, target], points.device, grain=1)
    return target if ctx.table_gradient is None else None
