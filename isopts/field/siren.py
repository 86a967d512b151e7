"""SIREN: sinusoidal layers (Sitzmann et al., Implicit Neural Representations with Periodic Activations, 2020)."""

import itertools
import math

import torch
from pydantic import Field as Describe
from torch import nn
from torch.nn import functional

from isopts.config import StrictModel


class SirenConfig(StrictModel):
    """The paper recipe's network."""

    width: int = Describe(256, ge=4, description="units of a hidden layer")
    depth: int = Describe(3, ge=1, le=16, description="hidden layers")
    omega: float = Describe(30.0, gt=0, description="frequency of every sine, radians per unit of its argument")
    radius: float = Describe(0.5, gt=0, lt=1, description="radius of the initial sphere, unit frame")


class SirenField(nn.Module):
    """x -> sin(omega (W x + b)), `depth` times, -> linear. Parameters: `weights.0` ..., `biases.0` ...

    A new field holds the standard random initialisation; `initial_sphere.start_as_sphere` fits it to a sphere.
    """

    def __init__(self, config: SirenConfig | None = None, generator: torch.Generator | None = None):
        super().__init__()
        self.config = config = config or SirenConfig()
        sizes = [3, *[config.width] * config.depth, 1]
        weights, biases = [], []
        for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(sizes)):
            bound = 1 / fan_in if layer == 0 else math.sqrt(6 / fan_in) / config.omega
            weights.append(nn.Parameter(_uniform((fan_out, fan_in), bound, generator)))
            biases.append(nn.Parameter(_uniform((fan_out,), 1 / math.sqrt(fan_in), generator)))
        self.weights, self.biases = nn.ParameterList(weights), nn.ParameterList(biases)

    def value(self, points: torch.Tensor) -> torch.Tensor:
        """Signed distance (N,), negative inside, at points (N, 3) of the unit frame."""
        hidden = points
        for weights, biases in self._hidden():
            hidden = torch.sin(self.config.omega * functional.linear(hidden, weights, biases))
        return functional.linear(hidden, self.weights[-1], self.biases[-1])[:, 0]

    def value_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Signed distance (N,) and exact spatial gradient (N, 3), both differentiable in the parameters.

        The chain rule is written out from the output back, half the work of three tangents carried forward.
        """
        omega = self.config.omega
        hidden, slopes = points, []
        for weights, biases in self._hidden():
            phase = omega * functional.linear(hidden, weights, biases)
            hidden = torch.sin(phase)
            slopes.append(omega * torch.cos(phase))
        value = functional.linear(hidden, self.weights[-1], self.biases[-1])[:, 0]
        gradient = self.weights[-1].expand_as(hidden)
        for (weights, _), slope in zip(reversed(self._hidden()), reversed(slopes), strict=True):
            gradient = (gradient * slope) @ weights
        return value, gradient

    def _hidden(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        return list(zip(self.weights, self.biases, strict=True))[:-1]


def _uniform(shape: tuple[int, ...], bound: float, generator: torch.Generator | None) -> torch.Tensor:
    return (2 * torch.rand(shape, generator=generator) - 1) * bound
