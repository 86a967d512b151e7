"""Silhouettes and what is computed from them, as values."""

from typing import NamedTuple

import torch


class Silhouettes(NamedTuple):
    """Signed distance maps of V images, of any sizes, in one buffer.

    maps: (P,) float32, row by row, view after view: distance to the silhouette in pixels of the map, negative on the
    object. first: (V,) int64, where each map begins. sizes: (V, 2) int32, width and height. projections: (V, 3, 4)
    float32, points to (column * z, row * z, z) of the map, the centre of its upper left pixel at (0, 0). focal_lengths:
    (V,) float32, in pixels of the map.
    """

    maps: torch.Tensor
    first: torch.Tensor
    sizes: torch.Tensor
    projections: torch.Tensor
    focal_lengths: torch.Tensor


class HullDistances(NamedTuple):
    """distances: (N,) float32, in the unit of the points, negative inside the hull. seen: (N,) int32, the number of
    views that have the point in their image. views: (N,) int32, the view that the distance is of, -1 where none."""

    distances: torch.Tensor
    seen: torch.Tensor
    views: torch.Tensor
