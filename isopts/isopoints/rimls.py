"""Robust implicit moving least squares: a cloud with normals as a signed distance (Oztireli et al., 2009)."""

import torch
from pydantic import Field

from isopts.config import StrictModel
from isopts.isopoints.project import ValueAndGradient
from isopts.kernels.neighbors import nearest_neighbors


class RimlsConfig(StrictModel):
    """How much is smoothed, and what counts as an edge."""

    k: int = Field(24, ge=4, description="neighbours whose planes are blended; more smooth more")
    sigma_residual: float = Field(
        0.5, gt=0, description="a plane that misses the value by more than this hardly counts; in local spacings"
    )
    sigma_normal: float = Field(
        0.8, gt=0, description="a normal farther from the gradient than this hardly counts; smaller keeps edges sharper"
    )
    refits: int = Field(3, ge=1, description="reweighted fits an evaluation; 1 is plain implicit moving least squares")


def rimls(points: torch.Tensor, normals: torch.Tensor, config: RimlsConfig | None = None) -> ValueAndGradient:
    """The signed distance that `points` (N, 3) and their unit outward `normals` (N, 3) define near themselves.

    Returns a callable (Q, 3) -> value (Q,), gradient (Q, 3), so that `project` moves points onto the surface. The
    value is the average of the neighbours' plane distances, reweighted a few times so that planes which disagree with
    the value or with the gradient drop out: noise goes, sharp edges stay.
    """
    settings = config or RimlsConfig()

    def value_and_gradient(queries: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return _evaluate(queries, points, normals, settings)

    return value_and_gradient


def _evaluate(
    queries: torch.Tensor, points: torch.Tensor, normals: torch.Tensor, config: RimlsConfig
) -> tuple[torch.Tensor, torch.Tensor]:
    found = nearest_neighbors(queries, points, min(config.k, len(points)))
    offsets = queries[:, None] - points[found.indices]
    planes = normals[found.indices]
    radius = (1.05 * found.squared_distances[:, -1:]).clamp_min(torch.finfo(queries.dtype).tiny)
    closeness = (1 - found.squared_distances / radius).clamp_min(0)
    kernel, slope = closeness.pow(4), -8 * (closeness.pow(3) / radius)[:, :, None] * offsets
    residuals = (offsets * planes).sum(dim=2)
    spacing = (radius / found.indices.shape[1]).sqrt()  # of the neighbours, whatever the scale of the cloud
    value, gradient = _blend(torch.ones_like(residuals), kernel, slope, residuals, planes)
    for _ in range(config.refits - 1):
        robust = torch.exp(
            -((residuals - value[:, None]) / (config.sigma_residual * spacing)).square()
            - (planes - gradient[:, None]).square().sum(dim=2) / config.sigma_normal**2
        )
        value, gradient = _blend(robust, kernel, slope, residuals, planes)
    return value, gradient


def _blend(
    robust: torch.Tensor, kernel: torch.Tensor, slope: torch.Tensor, residuals: torch.Tensor, planes: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weighted mean of the plane distances (Q,) and its gradient (Q, 3), the robust weights held constant."""
    weights = robust * kernel
    total = weights.sum(dim=1, keepdim=True).clamp_min(torch.finfo(weights.dtype).tiny)
    value = (weights * residuals).sum(dim=1, keepdim=True) / total
    pulls = (robust * (residuals - value))[:, :, None] * slope
    gradient = (pulls + weights[:, :, None] * planes).sum(dim=1) / total
    return value[:, 0], gradient
