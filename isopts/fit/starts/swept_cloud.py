"""Oriented points on the surface, from posed images alone: depth maps that agree with each other."""

import math

import torch
from torch.nn import functional

from isopts.fit.starts.depth_sweep import DepthMaps, sweep_depths
from isopts.fit.views.image_stack import ImageStack, image_pyramid
from isopts.geometry.adaptive_planes import adaptive_planes, feet
from isopts.geometry.normals import local_planes
from isopts.geometry.spacing import areas
from isopts.geometry.thinning import thin_points
from isopts.kernels.neighbors import nearest_neighbors

_PIXEL = 0.014  # of the images that are compared, unit frame: 5 of them are a patch
_LEVELS_MAX = 5
_RAYS = 100_000
_PLANES = 64  # at most
_STEP = 2.2  # pixels of the images that are compared, between planes: about one pixel of disparity
_SCORE_MIN = 0.6  # NCC
_AGREE = 0.75  # of the step between planes: how near another view's depth confirms a point
_AGREEING_MIN = 3  # views, itself included
_NEIGHBORS = 24
_SPACING = 0.5  # of the step between planes: least distance between points


def swept_cloud(images: ImageStack) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (N, 3) and unit normals (N, 3) towards the cameras, unit frame; none where the images have no texture.

    Every view is swept (see `sweep_depths`) at pixels of about 0.014. A point stays when three views have the same
    depth there and no more views look through it. Where points are denser than they are exact they are averaged; then
    they are moved onto the planes of their neighbours.
    """
    pixel = float((images.cameras.centers().norm(dim=1) / images.cameras.focal_lengths()).median())
    level = min(max(0, round(math.log2(_PIXEL / pixel))), _LEVELS_MAX)
    pyramid = image_pyramid(images, level + 1)
    cameras = images.cameras
    for _ in pyramid[1:]:
        cameras = cameras.halved()
    stride = max(1, math.ceil(math.sqrt(int(cameras.sizes.prod(dim=1).sum()) / _RAYS)))
    pixel *= 2 ** (len(pyramid) - 1)
    planes = min(_PLANES, math.ceil(2 / (_STEP * pixel)))
    return confirmed_points(sweep_depths(pyramid[-1], cameras, stride, planes))


def confirmed_points(maps: DepthMaps) -> tuple[torch.Tensor, torch.Tensor]:
    """See `swept_cloud`."""
    good = maps.scores > _SCORE_MIN
    maps = maps._replace(distances=torch.where(good, maps.distances, torch.inf))
    chosen = torch.nonzero(good)[:, 0]
    points, views = maps.points()[chosen], maps.views()[chosen]
    tolerance = _AGREE * maps.step
    kept = []
    for some in points.split(20_000):
        leads = maps.leads(some)
        agreeing, through = (leads.abs() < tolerance).sum(dim=0), (leads > 2 * tolerance).sum(dim=0)
        kept.append((agreeing >= _AGREEING_MIN) & (through <= agreeing))
    if len(points) == 0 or int(torch.cat(kept).sum()) <= _NEIGHBORS:
        return points[:0], points[:0]
    points, views = points[torch.cat(kept)].contiguous(), views[torch.cat(kept)]
    directions = functional.normalize(maps.cameras.centers()[views] - points, dim=1)
    group = int((_SPACING * maps.step) ** 2 / float(areas(points, k=_NEIGHBORS).median().clamp_min(1e-12)))
    if group > 1 and len(points) > group * _NEIGHBORS:  # denser than the depths are exact: averages are better
        points, directions = thin_points(points, directions, group)
    neighbors = nearest_neighbors(points, points, _NEIGHBORS).indices
    narrow, normals = local_planes(points, neighbors), adaptive_planes(points).normals
    around = directions[neighbors]  # of those that see the same side; one alone may see it at a grazing angle
    same_side = (around * directions[:, None]).sum(dim=2, keepdim=True).clamp_min(0)
    towards = ((same_side * around).sum(dim=1) * normals).sum(dim=1, keepdim=True)
    return feet(points, narrow).contiguous(), torch.where(towards < 0, -normals, normals).contiguous()
