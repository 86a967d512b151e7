"""The definition of the decoder in plain PyTorch; any floating dtype, differentiable as often as wanted."""

import torch
from torch.nn import functional

from isopts.kernels.grid_encoding.layout import GridLayout
from isopts.kernels.grid_encoding.op import encode

SHARPNESS = 100.0  # beta of the softplus (IDR): close to a ReLU, yet twice differentiable


def decode_reference(
    points: torch.Tensor,
    table: torch.Tensor,
    input_weights: torch.Tensor,
    output_weights: torch.Tensor,
    output_bias: torch.Tensor,
    layout: GridLayout,
    gradient: bool,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """What `op.decode` computes; see there.

    The gradient is written out (output weights times the layer's transposed Jacobian), so a loss on it needs one
    ordinary backward pass. For one output this is cheaper than carrying three tangents forward.
    """
    features, jacobian = encode(points, table, layout, gradient)
    inputs = torch.cat((points, torch.ones_like(points[:, :1]), features), 1)
    linear = inputs @ input_weights
    value = functional.softplus(linear, SHARPNESS) @ output_weights + output_bias
    if jacobian is None:
        return value, None
    input_gradient = (torch.sigmoid(SHARPNESS * linear) * output_weights) @ input_weights.T
    return value, input_gradient[:, :3] + torch.einsum("nc,nck->nk", input_gradient[:, 4:], jacobian)
