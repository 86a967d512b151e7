"""Cameras that see the whole of an object."""

from dataclasses import replace

import torch

from isopts.geometry.cameras import Cameras

_FILLED_SHARE = 0.92  # of the image's half width or height, by the view that is filled most


def widened(cameras: Cameras, points: torch.Tensor) -> Cameras:
    """With focal lengths shortened by one factor, so that `points` (N, 3) are inside every image, with a margin;
    unchanged where they are already.

    Args:
        cameras: their principal points are in the middle of the images, and the points in front of them.
    """
    largest = 0.0
    for view in range(len(cameras)):
        pixels, _ = cameras.select([view]).project(points)
        half = cameras.sizes[view] / 2
        shares = (pixels[0] - (half - 0.5)).abs() / half
        largest = max(largest, float(shares.max()) if len(shares) else 0.0)
    factor = min(1.0, _FILLED_SHARE / largest) if largest > 0 else 1.0
    intrinsics = cameras.intrinsics.clone()
    intrinsics[:, :2, :2] *= factor
    return replace(cameras, intrinsics=intrinsics)
