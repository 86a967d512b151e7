"""The grid's finest level follows the scan."""

from isopts.fit.clouds.config import PointsConfig
from isopts.fit.clouds.prepared_cloud import PreparedCloud

_CELL_PER_BANDWIDTH = 0.91  # measured on scans of four shapes with noise of 0.5 and 1.5 % of the unit
_CELL_PER_SPACING = 1.2
_AVERAGED_CELL_MAX, _AVERAGED_SPACINGS = 0.028, 2.2  # measured on five shapes, noise of 0.5, 1, 2 %, 60,000 points
_RESOLUTION_MIN, _RESOLUTION_MAX = 12, 256


def finest_cell(noise: float, spacing: float, averaged: bool) -> float:
    """Side of the cells that resolve a scan's detail and not its noise; all lengths in the unit frame.

    The best width of a smoother of noisy heights over a surface balances its variance, (noise spacing / width)^2, and
    its squared bias, proportional to width^4: it is proportional to (noise spacing)^(1/3). Cells finer than the
    spacing of the points have nothing to hold on to.

    averaged: the fit is steered by iso-points that average the scan around them (`consolidate`). They bear the noise
    then, and cells may stay as fine as walls and fins need: coarse ones move the two sides of a wall apart. Where
    points are few there is little to average.
    """
    cell = _CELL_PER_BANDWIDTH * (noise * spacing) ** (1 / 3)
    if averaged:
        cell = min(cell, max(_AVERAGED_CELL_MAX, _AVERAGED_SPACINGS * spacing))
    return max(cell, _CELL_PER_SPACING * spacing)


def grid_resolution(noise: float, spacing: float, averaged: bool) -> int:
    """Cells along the domain's side of 2."""
    return int(min(_RESOLUTION_MAX, max(_RESOLUTION_MIN, 2 / finest_cell(noise, spacing, averaged))))


def follow_noise(config: PointsConfig, cloud: PreparedCloud) -> PointsConfig:
    """`config` with the finest grid level that suits the scan, where it asks for that."""
    if not (config.follow_noise and config.field.decoder == "grid"):
        return config
    averaged = config.isopoints.enabled and config.isopoints.consolidate_cells > 0
    finest = max(config.field.grid.base_resolution, grid_resolution(cloud.noise, cloud.spacing, averaged))
    grid = config.field.grid.model_copy(update={"finest_resolution": finest})
    return config.model_copy(update={"field": config.field.model_copy(update={"grid": grid})})
