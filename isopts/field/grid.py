"""The default field: a multi-resolution feature grid decoded by one small hidden layer."""

import math

import torch
from pydantic import Field as Describe
from torch import nn
from torch.nn import functional

from isopts.config import StrictModel
from isopts.geometry.fibonacci_directions import fibonacci_directions
from isopts.kernels.grid_decoder.op import Decoder, decode, is_fused
from isopts.kernels.grid_decoder.reference import SHARPNESS
from isopts.kernels.grid_encoding.layout import GridLayout, Interpolation
from isopts.kernels.grid_encoding.op import encode


class GridConfig(StrictModel):
    """Resolutions count cells along the domain's side, which is 2 in the unit frame."""

    levels: int = Describe(6, ge=1, le=16, description="number of grid resolutions")
    base_resolution: int = Describe(12, ge=1, description="cells along a side of the coarsest level")
    finest_resolution: int = Describe(
        64,
        ge=1,
        description="cells along a side of the finest level; finer than the scan's noise overfits it; a fit with "
        "follow_noise chooses it",
    )
    log2_table_size: int = Describe(
        20, ge=4, le=24, description="a level with more than 2^this vertices is hashed; lower it to save memory"
    )
    features_per_level: int = Describe(2, ge=2, le=2, description="features of a grid vertex; the kernels have 2")
    interpolation: Interpolation = Describe(
        "quadratic",
        description="between a level's values; quadratic: no creases between cells, 27 values a point instead of 8",
    )
    width: int = Describe(64, ge=4, description="units of a hidden layer")
    depth: int = Describe(1, ge=1, le=2, description="hidden layers")
    radius: float = Describe(0.5, gt=0, lt=1, description="radius of the initial sphere, unit frame")


class GridField(nn.Module):
    """x -> signed distance: (x, 1, features of x) through softplus layers. Starts as a sphere around the origin.

    Parameters: `table` (entries, 2); `input_weights` (4 + channels, width), whose fourth row holds the biases; for
    depth 2 also `middle_weights` (width, width) and `middle_biases` (width,); `output_weights` (width,),
    `output_bias` ().

    accumulate_in_place: the table's gradient is added straight to `table.grad` (created when missing) and autograd
    is told of none. A training step then neither allocates nor adds tables; `torch.autograd.grad` misses the table,
    and `zero_grad` belongs before the forward pass. It holds for depth 1 where `grid_decoder.op.is_fused` does, and
    changes nothing elsewhere.
    """

    def __init__(self, config: GridConfig | None = None, generator: torch.Generator | None = None):
        super().__init__()
        self.config = config = config or GridConfig()
        self.accumulate_in_place = False
        self.layout = GridLayout.build(
            config.levels,
            config.base_resolution,
            config.finest_resolution,
            config.log2_table_size,
            config.interpolation,
        )
        table = torch.rand((self.layout.entries, config.features_per_level), generator=generator)
        self.table = nn.Parameter((2 * table - 1) * 1e-4)  # small, yet enough to tell the entries apart
        self._start_as_sphere()

    def _start_as_sphere(self) -> None:
        """Mean of relu(<d, x>) over directions d is |x| / 4, and evenly spread directions keep that nearly exact.

        The features have no weight yet. Scales follow the geometric initialisation of Atzmon & Lipman, SAL, 2020.
        """
        width = self.config.width
        scale = math.sqrt(6 / width)
        weights = torch.zeros(4 + self.layout.channels, width)
        weights[:3] = scale * fibonacci_directions(width).T
        self.input_weights = nn.Parameter(weights)
        if self.config.depth == 2:
            self.middle_weights = nn.Parameter(torch.eye(width))
            self.middle_biases = nn.Parameter(torch.zeros(width))
        self.output_weights = nn.Parameter(torch.full((width,), 4 / (width * scale)))
        self.output_bias = nn.Parameter(torch.zeros(()))
        with torch.no_grad():  # the softplus lifts the value a little: the sphere is where the bias says so
            inputs = self.config.radius * fibonacci_directions(1000) @ self.input_weights[:3]
            for _ in range(self.config.depth):
                inputs = functional.softplus(inputs, SHARPNESS)
            self.output_bias -= (inputs @ self.output_weights).mean()

    def value(self, points: torch.Tensor) -> torch.Tensor:
        """Signed distance (N,), negative inside, at points (N, 3) of the unit frame."""
        return self._evaluate(points, gradient=False)[0]

    def value_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Signed distance (N,) and exact spatial gradient (N, 3), both differentiable in the parameters."""
        return self._evaluate(points, gradient=True)

    def _evaluate(self, points: torch.Tensor, gradient: bool) -> tuple[torch.Tensor, torch.Tensor | None]:
        decoder = Decoder(self.table, self.input_weights, self.output_weights, self.output_bias)
        if self.config.depth == 2:
            return decode_two_layers(points, decoder, self.middle_weights, self.middle_biases, self.layout, gradient)
        table_gradient = None
        if self.accumulate_in_place and torch.is_grad_enabled() and is_fused(points, decoder):
            if self.table.grad is None:
                self.table.grad = torch.zeros_like(self.table)
            table_gradient = self.table.grad
        return decode(points, decoder, self.layout, gradient, table_gradient)


def decode_two_layers(
    points: torch.Tensor,
    decoder: Decoder,
    middle_weights: torch.Tensor,
    middle_biases: torch.Tensor,
    layout: GridLayout,
    gradient: bool,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """`grid_decoder.op.decode` with a second hidden layer, middle_weights (H, H) and middle_biases (H,)."""
    features, jacobian = encode(points, decoder.table, layout, gradient)
    inputs = torch.cat((points, torch.ones_like(points[:, :1]), features), 1)
    first = inputs @ decoder.input_weights
    second = functional.linear(functional.softplus(first, SHARPNESS), middle_weights, middle_biases)
    value = functional.softplus(second, SHARPNESS) @ decoder.output_weights + decoder.output_bias
    if jacobian is None:
        return value, None
    middle_gradient = (torch.sigmoid(SHARPNESS * second) * decoder.output_weights) @ middle_weights
    input_gradient = (torch.sigmoid(SHARPNESS * first) * middle_gradient) @ decoder.input_weights.T
    return value, input_gradient[:, :3] + torch.einsum("nc,nck->nk", input_gradient[:, 4:], jacobian)
