"""Iso-points of a fit of posed images: where they are, who sees them, how badly their colours fit."""

from typing import NamedTuple

import torch

from isopts.fit.views.config import IsopointsConfig
from isopts.geometry.cameras import Cameras
from isopts.geometry.curvature import principal_curvatures
from isopts.isopoints.concentrate import concentrate
from isopts.isopoints.extract import extract_isopoints
from isopts.isopoints.project import ValueAndGradient
from isopts.kernels.grid_rays import march_rays
from isopts.kernels.neighbors import nearest_neighbors
from isopts.kernels.point_visibility import DepthViews, point_visibility

_DEPTH_MAP_WIDTH = 160  # pixels; finer maps show the gaps between the points
_DISC = 0.6  # radius of a point in spacings
_TOLERANCE = 1.5  # of the depth test, in spacings
_CURVATURE_NEIGHBORS = 12


class Surfels(NamedTuple):
    """points (N, 3) on the surface, unit normals (N, 3), unit frame. cosines (N, V): how squarely each view sees them,
    0 where it does not. errors (N,): running mean of the colour error, or of 1 - NCC. uniform: how many, the first,
    are evenly spread; the others are concentrated."""

    points: torch.Tensor
    normals: torch.Tensor
    cosines: torch.Tensor
    errors: torch.Tensor
    uniform: int


def depth_views(cameras: Cameras) -> DepthViews:
    """Small depth maps for the cameras (V) of the images."""
    widths = cameras.sizes[:, 0].clamp_max(_DEPTH_MAP_WIDTH)
    heights = (cameras.sizes[:, 1] * widths / cameras.sizes[:, 0]).round().long().clamp_min(1)
    small = cameras.resized(torch.stack([widths, heights], dim=1))
    return DepthViews(small.projections(), small.centers(), small.sizes.int(), small.focal_lengths())


def refresh_surfels(
    value_and_gradient: ValueAndGradient,
    views: DepthViews,
    config: IsopointsConfig,
    previous: Surfels | None,
    concentrated: bool,
    grid: torch.Tensor,
    generator: torch.Generator,
) -> Surfels | None:
    """New iso-points, from the previous ones where there are any; None where the field has no surface.

    concentrated: also more of them where config.importance says. grid: sampled copy of the field.
    """
    seeds = None if previous is None else previous.points[: previous.uniform]
    device = views.centers.device
    found = extract_isopoints(value_and_gradient, config.count, config.extraction, seeds, generator, device)
    if len(found.points) < 2:
        return None
    points, normals, uniform = found.points, found.normals, len(found.points)
    spacing = found.quality.spacing
    errors = _carried_errors(points, previous)
    if concentrated:
        scores = _bends(points, normals) if config.importance == "curvature" else errors
        children, child_normals = concentrate(
            value_and_gradient, points, scores, spacing, config.concentrate, config.extraction.projection, generator
        )
        points, normals = torch.cat((points, children)), torch.cat((normals, child_normals))
        errors = torch.cat((errors, _carried_errors(children, previous)))
    cosines = point_visibility(points, normals, views, _DISC * spacing, _TOLERANCE * spacing, config.visible_cosine)
    return Surfels(points, normals, _unobstructed(cosines, points, views.centers, grid), errors, uniform)


def _unobstructed(
    cosines: torch.Tensor, points: torch.Tensor, centers: torch.Tensor, grid: torch.Tensor
) -> torch.Tensor:
    """`cosines` (N, V), 0 also where the sampled field is in the way: the depth test, whose tolerance is the spacing of
    the points and more on slopes, lets many pass between the walls of cavities."""
    rows, views = torch.nonzero(cosines > 0).unbind(1)
    to_camera = centers[views] - points[rows]
    distances = to_camera.norm(dim=1)
    directions = to_camera / distances[:, None]
    skipped = 2 / (len(grid) - 1)  # a cell, in which the copy does not tell the point's own surface from others
    hits = march_rays(grid, points[rows] + skipped * directions, directions).hits
    clear = torch.where(hits > distances - skipped, cosines[rows, views], 0.0)
    return cosines.index_put((rows, views), clear)


def _carried_errors(points: torch.Tensor, previous: Surfels | None) -> torch.Tensor:
    """(N,) of the nearest previous surfel; 0 before there are any."""
    if previous is None or len(points) == 0:
        return points.new_zeros(len(points))
    return previous.errors[nearest_neighbors(points, previous.points, 1).indices[:, 0]]


def _bends(points: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
    """(N,) largest absolute principal curvature."""
    neighbors = nearest_neighbors(points, points, min(_CURVATURE_NEIGHBORS + 1, len(points))).indices[:, 1:]
    return principal_curvatures(points, normals, neighbors).abs().amax(dim=1)
