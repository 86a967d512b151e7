"""Sums over square blocks of pixels."""

import numpy as np


def block_sums(picture: np.ndarray, factor: int) -> np.ndarray:
    """(H // factor, W // factor, C) uint32 of a picture (H, W, C) uint8; pixels that fill no block are cut off.

    First down the columns, where pixels lie side by side for the processor: a third of the time of both at once.
    """
    height, width = (side // factor for side in picture.shape[:2])
    length, channels = picture.shape[1:]
    rows = picture[: height * factor].reshape(height, factor, length * channels).sum(axis=1, dtype=np.uint32)
    blocks = rows.reshape(height, length, channels)[:, : width * factor].reshape(height, width, factor, channels)
    return blocks.sum(axis=2, dtype=np.uint32)
