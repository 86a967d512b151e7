"""The default field: a multi-resolution feature grid decoded by one small hidden layer."""

import math

import torch
from pydantic import Field as Describe
from torch import nn
from torch.nn import functional

from isopts.config import StrictModel
from isopts.field.softplus_decoder import decode_value, decode_value_and_gradient
from isopts.kernels.grid_encoding.layout import GridLayout
from isopts.kernels.grid_encoding.op import encode


class GridConfig(StrictModel):
    """Resolutions count cells along the domain's side, which is 2 in the unit frame."""

    levels: int = Describe(6, ge=1, le=16, description="number of grid resolutions")
    base_resolution: int = Describe(12, ge=1, description="cells along a side of the coarsest level")
    finest_resolution: int = Describe(
        64, ge=1, description="cells along a side of the finest level; finer than the scan's noise overfits it"
    )
    log2_table_size: int = Describe(
        19, ge=4, le=24, description="a level with more than 2^this vertices is hashed; lower it to save memory"
    )
    features_per_level: int = Describe(2, ge=2, le=2, description="features of a grid vertex; the kernels have 2")
    width: int = Describe(64, ge=4, description="units of a hidden layer")
    depth: int = Describe(1, ge=1, le=2, description="hidden layers")
    radius: float = Describe(0.5, gt=0, lt=1, description="radius of the initial sphere, unit frame")


class GridField(nn.Module):
    """x -> signed distance: (x, features of x) through softplus layers. Starts as a sphere around the origin.

    Parameters: `table` (entries, 2); `input_weights` (width, 3 + channels) and `input_biases` (width,); for depth 2
    `middle_weights` (width, width) and `middle_biases` (width,); `output_weights` (width,), `output_bias` ().
    """

    def __init__(self, config: GridConfig | None = None, generator: torch.Generator | None = None):
        super().__init__()
        self.config = config = config or GridConfig()
        self.layout = GridLayout.build(
            config.levels, config.base_resolution, config.finest_resolution, config.log2_table_size
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
        weights = torch.zeros(width, 3 + self.layout.channels)
        weights[:, :3] = scale * fibonacci_directions(width)
        self.input_weights = nn.Parameter(weights)
        self.input_biases = nn.Parameter(torch.zeros(width))
        if self.config.depth == 2:
            self.middle_weights = nn.Parameter(torch.eye(width))
            self.middle_biases = nn.Parameter(torch.zeros(width))
        self.output_weights = nn.Parameter(torch.full((width,), 4 / (width * scale)))
        self.output_bias = nn.Parameter(torch.zeros(()))
        with torch.no_grad():  # the softplus lifts the value a little: the sphere is where the bias says so
            surface = functional.pad(self.config.radius * fibonacci_directions(1000), (0, self.layout.channels))
            self.output_bias -= decode_value(surface, self._hidden(), self._output()).mean()

    def value(self, points: torch.Tensor) -> torch.Tensor:
        """Signed distance (N,), negative inside, at points (N, 3) of the unit frame."""
        features, _ = encode(points, self.table, self.layout)
        return decode_value(torch.cat((points, features), 1), self._hidden(), self._output())

    def value_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Signed distance (N,) and exact spatial gradient (N, 3), both differentiable in the parameters."""
        features, jacobian = encode(points, self.table, self.layout, jacobian=True)
        inputs = torch.cat((points, features), 1)
        value, gradient = decode_value_and_gradient(inputs, self._hidden(), self._output())
        return value, gradient[:, :3] + torch.einsum("nc,nck->nk", gradient[:, 3:], jacobian)

    def _hidden(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        layers = [(self.input_weights, self.input_biases)]
        if self.config.depth == 2:
            layers.append((self.middle_weights, self.middle_biases))
        return layers

    def _output(self) -> tuple[torch.Tensor, torch.Tensor]:
        return self.output_weights, self.output_bias


def fibonacci_directions(count: int) -> torch.Tensor:
    """(count, 3) unit vectors spread evenly over the sphere: equal steps of height, golden-angle steps around."""
    index = torch.arange(count, dtype=torch.float64)
    height = 1 - (2 * index + 1) / count
    angle = index * math.pi * (3 - math.sqrt(5))
    across = (1 - height**2).sqrt()
    return torch.stack((across * angle.cos(), across * angle.sin(), height), 1).float()
