"""The grid's finest level follows the scan."""

from isopts.fit.points_config import PointsConfig
from isopts.fit.prepared_cloud import PreparedCloud


def grid_resolution(noise: float, spacing: float) -> int:
    """Cells along the side of 2 that resolve a scan's detail and not its noise (both in the unit frame)."""
    cell = max(4.2 * noise, 1.7 * spacing)
    return int(min(256, max(24, 2 / cell)))


def follow_noise(config: PointsConfig, cloud: PreparedCloud) -> PointsConfig:
    """`config` with the finest grid level that suits the scan, where it asks for that."""
    if not (config.follow_noise and config.field.decoder == "grid"):
        return config
    finest = max(config.field.grid.base_resolution, grid_resolution(cloud.noise, cloud.spacing))
    grid = config.field.grid.model_copy(update={"finest_resolution": finest})
    return config.model_copy(update={"field": config.field.model_copy(update={"grid": grid})})
