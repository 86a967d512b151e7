"""Iso-points of a ball, as the cameras see them."""

from collections.abc import Callable

import pytest
import torch

from isopts.fit.views.prepared_views import PreparedViews
from isopts.fit.views.surfels import Surfels, depth_views
from isopts.geometry.fibonacci_directions import fibonacci_directions
from isopts.kernels.point_visibility import point_visibility


def _iso_points(prepared: PreparedViews, radius: float, count: int = 2000) -> Surfels:
    """On the upper part of a sphere, where the cameras are: those of `count` all around."""
    normals = fibonacci_directions(count).float()
    normals = normals[normals[:, 2] > 0.2]
    cosines = point_visibility(radius * normals, normals, depth_views(prepared.cameras), 0.02, 0.06, 0.15)
    return Surfels(radius * normals, normals, cosines, torch.zeros(len(normals)), len(normals))


@pytest.fixture(scope="session")
def iso_points() -> Callable[..., Surfels]:
    """See `_iso_points`."""
    return _iso_points
