"""Photographs resampled to what a lens without distortion shows."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from isopts.geometry.distortion import Distortion, distorted_pixels

_BLOCK_PIXELS = 2**17  # resampled at once, so that they stay in the processor's cache


def undistort_picture(picture: np.ndarray, pinhole: np.ndarray, lens: np.ndarray, distortion: Distortion) -> np.ndarray:
    """(H, W, C) uint8, resampled bilinearly; outside of the photograph its border is repeated.

    In float32: places are right to a thousandth of a pixel. Those of the lens of the last call are kept, 8 bytes a
    pixel, since most folders were photographed with one.

    Args:
        picture: (H, W, C) uint8.
        pinhole: (3, 3) intrinsics of the result. lens: (3, 3), of the photograph.
    """
    height, width = picture.shape[:2]
    result = np.empty_like(picture)
    for block in _blocks(tuple(pinhole.ravel().tolist()), tuple(lens.ravel().tolist()), distortion, width, height):
        band = torch.from_numpy(picture[block.source]).permute(2, 0, 1)[None].float()
        found = functional.grid_sample(band, block.places, padding_mode="border", align_corners=False)[0]
        result[block.target] = torch.stack((found + 0.5).byte().unbind(), dim=2).numpy()
    return result


class _Block(NamedTuple):
    """target: rows of the result. source: rows of the photograph that they lie in. places: (1, h, width, 2), column and
    row in `source`, -1 ... 1."""

    target: slice
    source: slice
    places: torch.Tensor


@lru_cache(maxsize=1)
def _blocks(
    pinhole: tuple[float, ...], lens: tuple[float, ...], distortion: Distortion, width: int, height: int
) -> list[_Block]:
    """Of intrinsics row by row."""
    matrices = [np.array(intrinsics).reshape(3, 3) for intrinsics in (pinhole, lens)]
    columns = torch.arange(width, dtype=torch.float32)[None, :]
    rows_at_once = max(1, _BLOCK_PIXELS // width)
    blocks = []
    for top in range(0, height, rows_at_once):
        bottom = min(top + rows_at_once, height)
        rows = torch.arange(top, bottom, dtype=torch.float32)[:, None]
        at_columns, at_rows = distorted_pixels(columns, rows, *matrices, distortion)
        at_rows = at_rows.clamp(0, height - 1)
        first, last = int(at_rows.min()), min(int(at_rows.max()) + 2, height)
        places = [(2 * at_columns + 1) / width - 1, (2 * (at_rows - first) + 1) / (last - first) - 1]
        blocks.append(_Block(slice(top, bottom), slice(first, last), torch.stack(places, dim=2)[None]))
    return blocks
