"""Weighted locally optimal projection: an even, denoised subset of a cloud (Huang et al., 2009)."""

import torch
from pydantic import Field

from isopts.config import StrictModel
from isopts.kernels.neighbors import nearest_neighbors

_K_CLOUD_MAX = 128


class WlopConfig(StrictModel):
    """The released code's values."""

    repulsion: float = Field(0.5, ge=0, lt=1, description="mu: how strongly samples push each other apart")
    iterations: int = Field(3, ge=0, description="fixed-point steps")
    k: int = Field(16, ge=1, description="neighbours among the samples; in the cloud more, by the ratio of the sizes")


def wlop(samples: torch.Tensor, cloud: torch.Tensor, config: WlopConfig) -> torch.Tensor:
    """Move `samples` (M, 3), a subset of `cloud` (N, 3), to an even distribution near the cloud's local medians.

    x_i = sum_j p_j a_ij / v_j / sum_j a_ij / v_j + mu sum_k w_k (x_i - x_k) b_ik / sum_k w_k b_ik with
    theta(r) = exp(-r^2 / s^2), a = b = theta(r) / r, v_j and w_k = 1 + sum theta, the densities of the cloud and of the
    samples. s is the mean distance of a sample to its fourth neighbour among the samples: the reach of the original's
    h / 4 on even samples, without a scale of its own.
    """
    if len(samples) < 5 or len(cloud) < 2:
        return samples
    k = min(config.k, len(samples) - 1)
    k_cloud = min(k * -(-len(cloud) // len(samples)), _K_CLOUD_MAX, len(cloud) - 1)
    squared = nearest_neighbors(samples, samples, 5).squared_distances[:, -1]
    width = float(squared.sqrt().mean())
    density = 1 + _gaussian(nearest_neighbors(cloud, cloud, k_cloud + 1).squared_distances[:, 1:], width).sum(dim=1)
    for _ in range(config.iterations):
        others = nearest_neighbors(samples, samples, k + 1)
        crowd = 1 + _gaussian(others.squared_distances[:, 1:], width).sum(dim=1)
        data = nearest_neighbors(samples, cloud, k_cloud)
        pull = _weights(data.squared_distances, width) / density[data.indices]
        push = _weights(others.squared_distances[:, 1:], width) * crowd[others.indices[:, 1:]]
        median = _mean(pull, cloud[data.indices])
        away = samples - _mean(push, samples[others.indices[:, 1:]])
        samples = median + config.repulsion * away
    return samples


def _gaussian(squared: torch.Tensor, width: float) -> torch.Tensor:
    return torch.exp(-squared / width**2)


def _weights(squared: torch.Tensor, width: float) -> torch.Tensor:
    """theta(r) / r, r softened: a sample starts on one of the points and would never leave it."""
    return _gaussian(squared, width) / (squared + (width / 4) ** 2).sqrt()


def _mean(weights: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """(M, 3) weighted means of points (M, K, 3)."""
    total = weights.sum(dim=1, keepdim=True).clamp_min(torch.finfo(weights.dtype).tiny)
    return (weights[:, :, None] * points).sum(dim=1) / total
