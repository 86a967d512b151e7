"""Cameras of the depth maps, as a value."""

from typing import NamedTuple

import torch


class DepthViews(NamedTuple):
    """V cameras, each with the size of its depth map; the sizes may differ.

    projections: (V, 3, 4) float32, points to (column * z, row * z, z) of the map, the centre of its upper left pixel at
    (0, 0). centers: (V, 3) float32, of projection, in the frame of the points. sizes: (V, 2) int32, width and height.
    focal_lengths: (V,) float32, in pixels of the map.
    """

    projections: torch.Tensor
    centers: torch.Tensor
    sizes: torch.Tensor
    focal_lengths: torch.Tensor
