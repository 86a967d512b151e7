"""Brightness and tint of each photograph, where cameras chose their own."""

import torch
from pydantic import Field
from torch import nn

from isopts.config import StrictModel


class ExposureConfig(StrictModel):
    """Photographs of one exposure are best fitted without."""

    enabled: bool = Field(False, description="fit a gain and a bias per photograph and channel")
    learning_rate: float = Field(1e-3, gt=0, description="of gains and biases")
    weight: float = Field(
        0.01, ge=0, description="squares of log gain and bias: what one colour of the surface explains is no exposure"
    )


class Exposures(nn.Module):
    """log_gains (V, 3) and biases (V, 3): 0 for a photograph as the surface's own colours are."""

    def __init__(self, views: int):
        super().__init__()
        self.log_gains = nn.Parameter(torch.zeros(views, 3))
        self.biases = nn.Parameter(torch.zeros(views, 3))

    def forward(self, colors: torch.Tensor, views: torch.Tensor) -> torch.Tensor:
        """Colours (R, 3) as the photographs `views` (R,) show them."""
        return colors * self.log_gains[views].exp() + self.biases[views]

    def undone(self, colors: torch.Tensor, views: torch.Tensor) -> torch.Tensor:
        """Colours (R, 3) of the photographs `views` (R,) as the surface's own."""
        return (colors - self.biases[views]) * (-self.log_gains[views]).exp()

    def vectors(self) -> torch.Tensor:
        """(V, 6): log gains and biases, detached."""
        return torch.cat((self.log_gains, self.biases), dim=1).detach()

    @staticmethod
    def from_vectors(vectors: torch.Tensor) -> "Exposures":
        """Of (V, 6), not to be fitted."""
        exposures = Exposures(len(vectors)).to(vectors.device).requires_grad_(False)
        exposures.log_gains.copy_(vectors[:, :3])
        exposures.biases.copy_(vectors[:, 3:])
        return exposures

    def size(self) -> torch.Tensor:
        """Mean square of all log gains and biases, and of their mean over the views: all photographs alike is no
        exposure."""
        both = torch.cat((self.log_gains, self.biases), dim=1)
        return both.square().mean() + both.mean(dim=0).square().sum()
