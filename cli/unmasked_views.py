"""What `isopts check` looks at where there are no masks: the region of interest and the points that are known."""

from collections.abc import Sequence

import numpy as np
import torch

from isopts.data.point_cloud import PointCloud
from isopts.fit.starts.depth_sweep import BASELINES, neighboring_views
from isopts.geometry.cameras import Cameras
from isopts.geometry.sphere import Sphere
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.mesh.extract import MeshConfig, extract_mesh

_FEW_NEIGHBORS = 0.5  # of the views: without two at the right angle their depths are not compared
_SOURCES_MIN = 2  # of a depth, as in isopts.fit.starts.depth_sweep


def points_within(points: PointCloud | None, region: Sphere) -> tuple[int, int] | None:
    """How many of the known points are in the region, and how many there are."""
    if points is None:
        return None
    return int((np.linalg.norm(points.points - np.array(region.center), axis=1) < region.radius).sum()), len(points)


def unit_ball() -> TriangleMesh:
    """The region as a mesh, in its own frame."""

    def value(points: torch.Tensor) -> torch.Tensor:
        return points.norm(dim=1) - 0.99

    def value_and_gradient(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return value(points), torch.nn.functional.normalize(points, dim=1)

    return extract_mesh(value, value_and_gradient, MeshConfig(resolution=48))


def warn_without_masks(cameras: Cameras, names: Sequence[str]) -> list[str]:
    """About cameras, in the unit frame of the region, that stand in it or far from each other."""
    warnings = []
    centers = cameras.centers()
    if within := [names[view] for view in torch.nonzero(centers.norm(dim=1) < 1)[:, 0].tolist()]:
        warnings.append(f"{len(within)} cameras stand inside the region, such as that of {within[0]}; make it smaller.")
    comparable = (neighboring_views(centers, _SOURCES_MIN) >= 0).sum(dim=1) == _SOURCES_MIN
    if comparable.double().mean() < _FEW_NEIGHBORS:
        least, most = BASELINES
        warnings.append(
            f"Most views have no two others {least:g} to {most:g} degrees away, so that depths cannot be compared; "
            "without masks the surface needs views at such distances, or points by --prior."
        )
    return warnings
