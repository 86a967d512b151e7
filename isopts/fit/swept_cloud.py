"""Oriented points on the surface, from posed images alone: depth maps that agree with each other."""

import math

import torch

from isopts.fit.depth_sweep import DepthMaps, sweep_depths
from isopts.fit.image_stack import ImageStack, image_pyramid
from isopts.geometry.normals import local_planes
from isopts.kernels.neighbors import nearest_neighbors

_PIXEL = 0.014  # of the images that are compared, unit frame: 5 of them are a patch
_LEVELS_MAX = 5
_RAYS = 100_000
_PLANES = 64
_SCORE_MIN = 0.6  # NCC
_AGREE = 0.75  # of the step between planes: how near another view's depth confirms a point
_AGREEING_MIN = 4  # views, itself included
_NEIGHBORS = 24


def swept_cloud(images: ImageStack) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (N, 3) and unit normals (N, 3) towards the cameras, unit frame; none where the images have no texture.

    Every view is swept (see `sweep_depths`) at pixels of about 0.014. A point stays when four views have the same depth
    there and no more views look through it; then it is moved onto the plane of its neighbours.
    """
    pixel = float((images.cameras.centers().norm(dim=1) / images.cameras.focal_lengths()).median())
    level = min(max(0, round(math.log2(_PIXEL / pixel))), _LEVELS_MAX)
    pyramid = image_pyramid(images, level + 1)
    cameras = images.cameras
    for _ in pyramid[1:]:
        cameras = cameras.cropped(cameras.sizes // 2 * 2).resized(cameras.sizes // 2)
    stride = max(1, math.ceil(math.sqrt(int(cameras.sizes.prod(dim=1).sum()) / _RAYS)))
    return confirmed_points(sweep_depths(pyramid[-1], cameras, stride, _PLANES))


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
    planes = local_planes(points, nearest_neighbors(points, points, _NEIGHBORS).indices)
    heights = ((points - planes.centers) * planes.normals).sum(dim=1, keepdim=True)
    towards = ((maps.cameras.centers()[views] - points) * planes.normals).sum(dim=1, keepdim=True)
    normals = torch.where(towards < 0, -planes.normals, planes.normals)
    return (points - heights * planes.normals).contiguous(), normals.contiguous()
