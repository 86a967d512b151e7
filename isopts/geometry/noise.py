"""How noisy a scan is, from the residuals of local quadrics."""

from typing import NamedTuple

import torch

from isopts.kernels.neighbors import nearest_neighbors

_QUADRIC_COEFFICIENTS = 6
_WIDTH_PER_NOISE = 3.0  # below it noise tilts the local frame and the residual is underestimated
_K_MIN, _K_MAX = 16, 128


class NoiseEstimate(NamedTuple):
    """deviation: standard deviation along the normal, in the unit of the points. k: neighbours that see the surface
    rather than the noise; right for local planes."""

    deviation: float
    k: int


def estimate_noise(points: torch.Tensor, sample: int = 1000, seed: int = 0) -> float:
    """Standard deviation of the noise of `points` (N, 3) along the normal, in their unit; 0 for fewer than 16 points.

    Measured on 60,000-point scans: 0.0049-0.0050 for 0.005, 0.0097-0.0102 for 0.01 with 2 % outliers, 0.0001 for none.
    """
    return noise_and_support(points, sample, seed).deviation


def noise_and_support(points: torch.Tensor, sample: int = 1000, seed: int = 0) -> NoiseEstimate:
    """Noise of `points` (N, 3) and the number of neighbours it takes to see the surface through it.

    The median, over `sample` random points, of the residual of a quadric over the k nearest neighbours. k doubles from
    16 to 128 until the neighbourhood is three times wider than the residual, so that a clean cloud keeps its detail and
    a noisy one gets enough support. Outliers do not move the median.
    """
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(points), generator=generator)[:sample].to(points.device)
    deviation, k = 0.0, _K_MIN
    while k <= min(_K_MAX, len(points)):
        residuals, widths = quadric_residuals(points, nearest_neighbors(points[chosen], points, k).indices)
        deviation = float(residuals.median())
        if float(widths.median()) > _WIDTH_PER_NOISE * deviation:
            break
        k *= 2
    return NoiseEstimate(deviation, min(k, _K_MAX))


def quadric_residuals(points: torch.Tensor, neighbors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Least-squares quadric z(x, y) through each row of `neighbors` (N, K), in its principal frame.

    Returns the standard deviation of z about the quadric (N,), unbiased for the 6 coefficients, and the standard
    deviation of the neighbours along the widest direction (N,).
    """
    patches = points[neighbors].double()
    patches = patches - patches.mean(dim=1, keepdim=True)
    count = neighbors.shape[1]
    variances, axes = torch.linalg.eigh(patches.transpose(1, 2) @ patches / count)
    widths = variances[:, 2].clamp_min(torch.finfo(torch.float32).tiny).sqrt()
    z, y, x = (patches @ axes / widths[:, None, None]).unbind(dim=2)
    terms = torch.stack([torch.ones_like(x), x, y, x * x, x * y, y * y], dim=2)
    normal_matrix = terms.transpose(1, 2) @ terms
    ridge = 1e-9 * count * torch.eye(_QUADRIC_COEFFICIENTS, dtype=x.dtype, device=x.device)  # a line has no quadric
    coefficients = torch.linalg.solve(normal_matrix + ridge, terms.transpose(1, 2) @ z[:, :, None])
    squared = (z - (terms @ coefficients)[:, :, 0]).square().sum(dim=1)
    residuals = (squared / (count - _QUADRIC_COEFFICIENTS)).sqrt() * widths
    return residuals.to(points.dtype), widths.to(points.dtype)
