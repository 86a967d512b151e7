"""Where cameras look."""

import torch

from isopts.geometry.cameras import Cameras
from isopts.geometry.sphere import Sphere

_PARALLEL = 1e6  # condition of the equations for the point: axes within a thousandth of a radian


def looked_at(cameras: Cameras) -> Sphere | None:
    """The sphere around the point nearest to all optical axes that is as large as the images: the median over the views
    of what fits into a square one of as many pixels. None: the axes do not meet in front of most cameras.

    Args:
        cameras: float64.
    """
    centers, directions = cameras.centers(), cameras.viewing_directions()
    across = torch.eye(3, dtype=centers.dtype) - directions[:, :, None] * directions[:, None, :]
    normal_matrix = across.sum(dim=0)
    if float(torch.linalg.cond(normal_matrix)) > _PARALLEL:
        return None
    point = torch.linalg.solve(normal_matrix, (across @ centers[:, :, None]).sum(dim=0))[:, 0]
    depths = ((point - centers) * directions).sum(dim=1)
    depth = float(depths.median())
    if depth <= 0:
        return None
    sides, focal_lengths = cameras.sizes.double().prod(dim=1).sqrt() / 2, cameras.focal_lengths()
    radius = float((depths.clamp_min(0) * sides / torch.hypot(focal_lengths, sides)).median())
    return Sphere(tuple(point.tolist()), radius)
