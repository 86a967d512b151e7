"""The picture of a texture from the colours of its texels."""

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt


def texture_picture(indices: torch.Tensor, colors: torch.Tensor, size: int) -> np.ndarray:
    """(size, size, 3) uint8. Every texel between the charts gets the colour of the nearest one in a chart, so that
    mip-maps mix in no background.

    Args:
        indices: (T,) int64 into the rows one after the other. colors: (T, 3) in 0 ... 1.
    """
    picture = np.zeros((size * size, 3), dtype=np.uint8)
    free = np.ones(size * size, dtype=bool)
    at = indices.cpu().numpy()
    picture[at] = (255 * colors.clamp(0, 1) + 0.5).byte().cpu().numpy()
    free[at] = False
    if len(at) == 0:
        return picture.reshape(size, size, 3)
    row, column = distance_transform_edt(free.reshape(size, size), return_distances=False, return_indices=True)
    return picture.reshape(size, size, 3)[row, column]
