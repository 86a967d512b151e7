"""IDR's signed distance network (Yariv et al., Multiview Neural Surface Reconstruction, 2020)."""

import math

import torch
from pydantic import Field as Describe
from pydantic import model_validator
from torch import nn
from torch.nn import functional

from isopts.config import StrictModel
from isopts.geometry.fibonacci_directions import fibonacci_directions
from isopts.kernels.grid_decoder.reference import SHARPNESS


class GeometricMlpConfig(StrictModel):
    """The defaults are IDR's."""

    width: int = Describe(512, ge=64, description="units of a hidden layer")
    depth: int = Describe(8, ge=2, le=16, description="hidden layers")
    skip: int = Describe(4, ge=0, description="layer that sees the encoded point again (1 ... depth - 1); 0 for none")
    frequencies: int = Describe(6, ge=0, le=16, description="octaves of the positional encoding")
    features: int = Describe(0, ge=0, description="outputs for a colour network besides the distance; IDR has 256")
    radius: float = Describe(0.5, gt=0, lt=1, description="radius of the initial sphere, unit frame")

    @model_validator(mode="after")
    def _layers_fit(self) -> "GeometricMlpConfig":
        if self.skip >= self.depth:
            raise ValueError(f"skip must be below depth {self.depth}, got {self.skip}")
        if self.width <= 3 + 6 * self.frequencies:
            raise ValueError(f"width must exceed the encoded point's 3 + 6 x frequencies, got {self.width}")
        return self


class GeometricMlpField(nn.Module):
    """x -> (x, sin 2^k x, cos 2^k x) -> weight-normalised softplus layers -> signed distance.

    Parameters, one a layer: `directions.i` (out, in), `lengths.i` (out,), `biases.i` (out,); the layer's weight rows
    are lengths * directions / |directions|.
    """

    def __init__(self, config: GeometricMlpConfig | None = None, generator: torch.Generator | None = None):
        super().__init__()
        self.config = config = config or GeometricMlpConfig()
        encoded = 3 + 6 * config.frequencies
        sizes_in = [encoded, *[config.width] * config.depth]
        sizes_out = [*[config.width] * config.depth, 1 + config.features]
        if config.skip:
            sizes_out[config.skip - 1] -= encoded
        self.register_buffer("octaves", 2.0 ** torch.arange(config.frequencies), persistent=False)
        directions = [
            self._initial_weights(layer, shape, encoded, generator)
            for layer, shape in enumerate(zip(sizes_out, sizes_in, strict=True))
        ]
        self.directions = nn.ParameterList(directions)
        self.lengths = nn.ParameterList([weights.norm(dim=1) for weights in directions])
        self.biases = nn.ParameterList([torch.zeros(size) for size in sizes_out])
        with torch.no_grad():  # exactly on the sphere in the mean; the random layers alone are a few percent off
            surface = config.radius * fibonacci_directions(500)
            self.biases[-1][0] -= self.value(surface).mean()

    def _initial_weights(
        self, layer: int, shape: tuple[int, int], encoded: int, generator: torch.Generator | None
    ) -> torch.Tensor:
        """Geometric initialisation (Atzmon & Lipman, SAL, 2020): every layer keeps norms, the last one adds them up."""
        fan_out, fan_in = shape
        noise = torch.randn(shape, generator=generator)
        if layer == self.config.depth:
            weights = math.sqrt(2 / fan_in) * noise
            weights[0] = math.sqrt(math.pi / fan_in) + 1e-4 * noise[0]  # the distance; the rest are features
            return weights
        weights = math.sqrt(2 / fan_out) * noise
        if layer == 0:
            weights[:, 3:] = 0  # the octaves start without weight
        if layer and layer == self.config.skip and encoded > 3:
            weights[:, -(encoded - 3) :] = 0
        return weights

    def value(self, points: torch.Tensor) -> torch.Tensor:
        """Signed distance (N,), negative inside, at points (N, 3) of the unit frame."""
        encoded = self._encode(points)
        *layers, (output, bias) = self._layers()
        hidden = encoded
        for layer, (weights, biases) in enumerate(layers):
            hidden = functional.linear(self._skipped(layer, hidden, encoded), weights, biases)
            hidden = functional.softplus(hidden, SHARPNESS)
        return functional.linear(hidden, output[:1], bias[:1])[:, 0]

    def value_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Signed distance (N,) and exact spatial gradient (N, 3), both differentiable in the parameters.

        The chain rule is written out from the output back, half the work of three tangents carried forward.
        """
        value, gradient, _ = self.value_gradient_features(points)
        return value, gradient

    def value_gradient_features(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """`value_and_gradient`, and the features (N, config.features)."""
        encoded = self._encode(points)
        *layers, (output, bias) = self._layers()
        hidden, slopes = encoded, []
        for layer, (weights, biases) in enumerate(layers):
            linear = functional.linear(self._skipped(layer, hidden, encoded), weights, biases)
            slopes.append(torch.sigmoid(SHARPNESS * linear))
            hidden = functional.softplus(linear, SHARPNESS)
        outputs = functional.linear(hidden, output, bias)
        gradient, skipped = output[:1].expand_as(hidden), 0
        for layer in reversed(range(len(layers))):
            gradient = (gradient * slopes[layer]) @ layers[layer][0]
            if layer and layer == self.config.skip:
                size = gradient.shape[1] - encoded.shape[1]
                gradient, skipped = (gradient / math.sqrt(2)).split((size, encoded.shape[1]), 1)
        return outputs[:, 0], self._through_encoding(points, gradient + skipped), outputs[:, 1:]

    def _skipped(self, layer: int, hidden: torch.Tensor, encoded: torch.Tensor) -> torch.Tensor:
        if layer and layer == self.config.skip:
            return torch.cat((hidden, encoded), 1) / math.sqrt(2)
        return hidden

    def _encode(self, points: torch.Tensor) -> torch.Tensor:
        """(N, 3) -> (N, 3 + 6 F): x, then sin and cos of 2^k x, axis by axis within an octave."""
        phases = (points[:, None] * self.octaves[:, None]).flatten(1)
        return torch.cat((points, torch.sin(phases), torch.cos(phases)), 1)

    def _through_encoding(self, points: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
        """Gradient with respect to the encoding (N, 3 + 6 F) -> with respect to the points (N, 3)."""
        phases = points[:, None] * self.octaves[:, None]
        count = phases.shape[1] * 3
        plain, sines, cosines = gradient.split((3, count, count), 1)
        waves = sines.view_as(phases) * torch.cos(phases) - cosines.view_as(phases) * torch.sin(phases)
        return plain + (waves * self.octaves[:, None]).sum(1)

    def _layers(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        return [
            (directions * (lengths / directions.norm(dim=1))[:, None], biases)
            for directions, lengths, biases in zip(self.directions, self.lengths, self.biases, strict=True)
        ]
