"""Grey images and their cameras, and what makes a patch usable, as values."""

from typing import NamedTuple

import torch


class PatchViews(NamedTuple):
    """V grey images, of any sizes, in one buffer, with their masks and cameras.

    greys: (P,) uint8, row by row, view after view. masks: (P,) uint8, alike, 0 on the background. first: (V,) int64,
    where each image begins. sizes: (V, 2) int32, width and height. projections: (V, 3, 4) float32, points to
    (column * z, row * z, z) of the image, the centre of its upper left pixel at (0, 0). backprojections: (V, 3, 3)
    float32, (column, row, 1) to the direction of depth 1 in the frame of the points. centers: (V, 3) float32, of
    projection, in the frame of the points.
    """

    greys: torch.Tensor
    masks: torch.Tensor
    first: torch.Tensor
    sizes: torch.Tensor
    projections: torch.Tensor
    backprojections: torch.Tensor
    centers: torch.Tensor


class PatchLimits(NamedTuple):
    """half_size: 0 ... 5; patches are 2 half_size + 1 pixels wide. contrast_min: above 0; least standard deviation of
    the greys that are compared in the reference view, white being 1; in a source view 0.3 of it is enough. cosine_min:
    of the angle between normal and ray; a plane seen more obliquely through any pixel of the patch is invalid.
    mask_share_min: least share of the patch on the object. detrend: take off both sets of greys what is linear in the
    patch's columns and rows, besides the mean: shades of a curved surface in light that moved."""

    half_size: int = 3
    contrast_min: float = 0.006
    cosine_min: float = 0.15
    mask_share_min: float = 0.6
    detrend: bool = False
