"""The sphere around what posed images look at, from sparse points that may hold outliers and surroundings."""

import numpy as np
import torch

from isopts.errors import InputError
from isopts.geometry.cameras import Cameras
from isopts.geometry.sphere import Sphere
from isopts.kernels.neighbors import nearest_neighbors

_SEEN_SHARE = 0.6  # of the views that have the best seen points in their images: surroundings are in fewer
_SEEN_MIN = 0.2  # of all views: what fewer of them show is not what they are of
_NEIGHBORS, _LONELY = 8, 4.0  # an outlier's neighbours are so many times farther than most points'
_FAR, _ROUNDS = 3.0, 10  # times the median distance from the centre: the rest is no part of the object
_QUANTILE, _MARGIN = 0.99, 1.15
_FEWEST = 20


def points_region(points: np.ndarray, cameras: Cameras) -> Sphere:
    """A sphere a seventh larger than the part of `points` (N, 3) that most images show.

    Args:
        cameras: of the frame of the points, float64.

    Raises:
        InputError: fewer than 20 of the points are in the images of a fifth of the views.
    """
    seen = _views_with(points, cameras)
    points = points[seen >= max(_SEEN_MIN * len(cameras), _SEEN_SHARE * seen.max(initial=0))]
    if len(points) < _FEWEST:
        raise InputError(
            f"Only {len(points)} of the points are in the images, too few to tell where the object is; give its place "
            "with --sphere x y z radius, or points in the frame of the cameras."
        )
    middle = np.median(points, axis=0)
    local = torch.from_numpy(points - middle)
    local = (local / local.norm(dim=1).median().clamp_min(1e-12)).float().contiguous()
    found = nearest_neighbors(local, local, min(_NEIGHBORS + 1, len(local)))
    reach = found.squared_distances[:, -1].sqrt()
    kept = points[(reach <= _LONELY * reach.median()).numpy()]
    for _ in range(_ROUNDS):
        middle = np.median(kept, axis=0)
        distances = np.linalg.norm(kept - middle, axis=1)
        near = distances <= _FAR * np.median(distances)
        if near.all():
            break
        kept = kept[near]
    low, high = np.quantile(kept, (1 - _QUANTILE, _QUANTILE), axis=0)
    center = (low + high) / 2
    radius = _MARGIN * float(np.quantile(np.linalg.norm(kept - center, axis=1), _QUANTILE))
    if not radius > 0:
        raise InputError("The points are all in one place; give the object's place with --sphere x y z radius.")
    return Sphere(tuple(center.tolist()), radius)


def _views_with(points: np.ndarray, cameras: Cameras) -> np.ndarray:
    """(N,) how many images have each point in their frame."""
    counts = np.zeros(len(points), dtype=np.int64)
    for view in range(len(cameras)):
        camera = cameras.select([view])
        pixels, depths = camera.project(torch.from_numpy(points))
        inside = (pixels[0] > -0.5).all(dim=1) & (pixels[0] < camera.sizes[0] - 0.5).all(dim=1) & (depths[0] > 0)
        counts += inside.numpy()
    return counts
