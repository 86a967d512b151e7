"""The colour that a surface point sends towards a camera."""

import itertools
from collections.abc import Callable
from typing import Literal

import torch
from pydantic import Field as Describe
from torch import nn
from torch.nn import functional

from isopts.config import StrictModel
from isopts.field.build import Field
from isopts.field.geometric_mlp import GeometricMlpField
from isopts.kernels.grid_encoding.layout import GridLayout
from isopts.kernels.grid_encoding.op import encode

Radiance = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""points, normals, directions (N, 3), features (N, F) -> colours (N, 3)."""


class RadianceGridConfig(StrictModel):
    """A feature grid of its own and a small network."""

    levels: int = Describe(7, ge=1, le=16, description="number of grid resolutions")
    base_resolution: int = Describe(16, ge=1, description="cells along a side of the coarsest level")
    finest_resolution: int = Describe(400, ge=1, description="cells along a side of the finest level")
    log2_table_size: int = Describe(19, ge=4, le=24, description="a level with more than 2^this vertices is hashed")
    width: int = Describe(64, ge=4, description="units of a hidden layer")
    depth: int = Describe(2, ge=1, le=4, description="hidden layers")


class RadianceNetworkConfig(StrictModel):
    """IDR's colour network: it sees the feature vector of the `sdf` decoder. The defaults are IDR's."""

    width: int = Describe(512, ge=16, description="units of a hidden layer")
    depth: int = Describe(4, ge=1, le=8, description="hidden layers")
    view_frequencies: int = Describe(4, ge=0, le=8, description="octaves of the viewing direction's encoding")


class RadianceConfig(StrictModel):
    """Only the chosen decoder's part is used."""

    decoder: Literal["grid", "network"] = Describe(
        "grid", description="grid: a feature grid, fast; network: IDR's, best with the sdf field and its features"
    )
    grid: RadianceGridConfig = Describe(RadianceGridConfig(), description="the grid decoder")
    network: RadianceNetworkConfig = Describe(RadianceNetworkConfig(), description="the network decoder")


class GridRadiance(nn.Module):
    """(features of x, x, n, v) -> colour, through ReLU layers. Linear at the end: pictures clip it.

    Parameters: `table` (entries, 2) and `layers`. accumulate_in_place: as in isopts.field.grid.GridField.
    """

    def __init__(self, config: RadianceGridConfig | None = None, generator: torch.Generator | None = None):
        super().__init__()
        self.config = config = config or RadianceGridConfig()
        self.accumulate_in_place = False
        self.layout = GridLayout.build(
            config.levels, config.base_resolution, config.finest_resolution, config.log2_table_size
        )
        table = torch.rand((self.layout.entries, 2), generator=generator)
        self.table = nn.Parameter((2 * table - 1) * 1e-2)
        sizes = [self.layout.channels + 9, *[config.width] * config.depth, 3]
        self.layers = _layers(sizes, generator)

    def forward(
        self, points: torch.Tensor, normals: torch.Tensor, directions: torch.Tensor, features: torch.Tensor
    ) -> torch.Tensor:
        """Colours (N, 3), 0 ... 1 where they are true, of points (N, 3) with unit normals (N, 3), seen along unit
        `directions` (N, 3), in the unit frame. Differentiable in points and normals. features are not used."""
        gradient = None
        if self.accumulate_in_place and torch.is_grad_enabled():
            if self.table.grad is None:
                self.table.grad = torch.zeros_like(self.table)
            gradient = self.table.grad
        encoded, _ = encode(points, self.table, self.layout, table_gradient=gradient)
        return 0.5 + _through(self.layers, torch.cat((encoded, points, normals, directions), 1))


class RadianceNetwork(nn.Module):
    """(x, encoded v, n, features of the field) -> colour, through ReLU layers and a tanh (IDR, Yariv et al., 2020)."""

    def __init__(
        self, config: RadianceNetworkConfig | None = None, features: int = 0, generator: torch.Generator | None = None
    ):
        super().__init__()
        self.config = config = config or RadianceNetworkConfig()
        self.register_buffer("octaves", 2.0 ** torch.arange(config.view_frequencies), persistent=False)
        sizes = [9 + 6 * config.view_frequencies + features, *[config.width] * config.depth, 3]
        self.layers = _layers(sizes, generator)

    def forward(
        self, points: torch.Tensor, normals: torch.Tensor, directions: torch.Tensor, features: torch.Tensor
    ) -> torch.Tensor:
        """As GridRadiance.forward; features (N, F) are those of the field at the points."""
        phases = (directions[:, None] * self.octaves[:, None]).flatten(1)
        encoded = torch.cat((directions, torch.sin(phases), torch.cos(phases)), 1)
        return 0.5 + 0.5 * torch.tanh(_through(self.layers, torch.cat((points, encoded, normals, features), 1)))


def build_radiance(config: RadianceConfig, features: int = 0, generator: torch.Generator | None = None) -> nn.Module:
    """A new colour field on the CPU, grey with noise. features: how many the signed distance field has."""
    match config.decoder:
        case "grid":
            return GridRadiance(config.grid, generator)
        case "network":
            return RadianceNetwork(config.network, features, generator)


def with_features(field: Field, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """value (N,), gradient (N, 3) and features (N, F) of a field; F is 0 for those that have none."""
    if isinstance(field, GeometricMlpField):
        return field.value_gradient_features(points)
    value, gradient = field.value_and_gradient(points)
    return value, gradient, points.new_empty((len(points), 0))


@torch.no_grad()
def renew_layers(layers: nn.ModuleList, generator: torch.Generator | None) -> None:
    """Random linear layers within torch's own bounds, from the CPU's `generator`."""
    for layer in layers:
        for tensor in (layer.weight, layer.bias):
            tensor.copy_((2 * torch.rand(tensor.shape, generator=generator) - 1) * layer.in_features**-0.5)


def _layers(sizes: list[int], generator: torch.Generator | None) -> nn.ModuleList:
    layers = nn.ModuleList(nn.Linear(size_in, size_out) for size_in, size_out in itertools.pairwise(sizes))
    renew_layers(layers, generator)
    return layers


def _through(layers: nn.ModuleList, inputs: torch.Tensor) -> torch.Tensor:
    for layer in layers[:-1]:
        inputs = functional.relu(layer(inputs))
    return layers[-1](inputs)
