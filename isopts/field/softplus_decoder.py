"""Decoder of encoded points: a small softplus network and its exact spatial gradient, in plain PyTorch.

It defines what the fused kernel computes, and it serves what that kernel does not: float64 and two hidden layers.
"""

from collections.abc import Sequence

import torch
from torch.nn import functional

SHARPNESS = 100.0  # beta of the softplus (IDR): close to a ReLU, yet twice differentiable


def decode_value(
    inputs: torch.Tensor, hidden: Sequence[tuple[torch.Tensor, torch.Tensor]], output: tuple[torch.Tensor, torch.Tensor]
) -> torch.Tensor:
    """Signed distance (N,).

    Args:
        inputs: (N, D).
        hidden: (weights (H, D), biases (H,)) a layer.
        output: weights (H,), bias ().
    """
    for weights, biases in hidden:
        inputs = functional.softplus(functional.linear(inputs, weights, biases), SHARPNESS)
    return inputs @ output[0] + output[1]


def decode_value_and_gradient(
    inputs: torch.Tensor, hidden: Sequence[tuple[torch.Tensor, torch.Tensor]], output: tuple[torch.Tensor, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Signed distance (N,) and its gradient with respect to `inputs` (N, D).

    The gradient is written out (output weights times the layers' transposed Jacobians), so a loss on it needs one
    ordinary backward pass. For one output this is cheaper than carrying three tangents forward.
    """
    slopes = []
    for weights, biases in hidden:
        linear = functional.linear(inputs, weights, biases)
        slopes.append(torch.sigmoid(SHARPNESS * linear))
        inputs = functional.softplus(linear, SHARPNESS)
    value = inputs @ output[0] + output[1]
    gradient = output[0].expand_as(inputs)
    for (weights, _), slope in zip(reversed(hidden), reversed(slopes), strict=True):
        gradient = (gradient * slope) @ weights
    return value, gradient
