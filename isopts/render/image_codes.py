"""A rendered view as the whole numbers that picture files hold. The background is 0 everywhere."""

import numpy as np

from isopts.render.view_image import ViewImage

DEPTH_MAX = 2**16 - 1


def encode_colors(image: ViewImage) -> np.ndarray:
    """(H, W, 3) uint8."""
    return (255 * image.colors + 0.5).byte().cpu().numpy()


def encode_normals(image: ViewImage) -> np.ndarray:
    """(H, W, 3) uint8: x, y, z from -1 to 1 as 0 to 255."""
    return ((127.5 * (image.normals + 1) + 0.5).byte() * image.mask[..., None]).cpu().numpy()


def encode_mask(image: ViewImage) -> np.ndarray:
    """(H, W) uint8: 255 on the object."""
    return (255 * image.mask.byte()).cpu().numpy()


def encode_depths(image: ViewImage, unit: float) -> np.ndarray:
    """(H, W) uint16: depths in counts of `unit` (unit frame), from 1; the farthest must be below 65535.5 of them."""
    counts = (image.depths.double() / unit).round().clamp(1, DEPTH_MAX)
    return counts.masked_fill(~image.mask, 0).cpu().numpy().astype(np.uint16)
