"""Warp kernels: Hilbert codes of grid cells, bounding boxes of blocks of points and of groups of boxes,
and the distance to a box."""

from typing import Any

import warp as wp

wp.set_module_options({"enable_backward": False})

BITS = wp.constant(16)  # per axis


@wp.kernel
def hilbert_codes(first: int, cells: wp.array2d(dtype=wp.int32), codes: wp.array(dtype=wp.int64)):
    """Position along the Hilbert curve of each cell (N, 3) in [0, 2^BITS), Skilling, AIP Conf. Proc. 707 (2004)."""
    i = first + wp.tid()
    x = cells[i, 0]
    y = cells[i, 1]
    z = cells[i, 2]
    bit = int(1 << (BITS - 1))
    while bit > 1:
        low = bit - 1
        if (x & bit) != 0:
            x = x ^ low
        if (y & bit) != 0:
            x = x ^ low
        else:
            swap = (x ^ y) & low
            x = x ^ swap
            y = y ^ swap
        if (z & bit) != 0:
            x = x ^ low
        else:
            swap = (x ^ z) & low
            x = x ^ swap
            z = z ^ swap
        bit = bit >> 1
    y = y ^ x
    z = z ^ y
    flip = int(0)
    bit = int(1 << (BITS - 1))
    while bit > 1:
        if (z & bit) != 0:
            flip = flip ^ (bit - 1)
        bit = bit >> 1
    codes[i] = (
        (_spread(wp.int64(x ^ flip)) << wp.int64(2))
        | (_spread(wp.int64(y ^ flip)) << wp.int64(1))
        | _spread(wp.int64(z ^ flip))
    )


@wp.func
def _spread(value: wp.int64) -> wp.int64:
    """Two zero bits between the bits of a number of up to 21 bits."""
    value = (value | (value << wp.int64(32))) & wp.int64(0x1F00000000FFFF)
    value = (value | (value << wp.int64(16))) & wp.int64(0x1F0000FF0000FF)
    value = (value | (value << wp.int64(8))) & wp.int64(0x100F00F00F00F00F)
    value = (value | (value << wp.int64(4))) & wp.int64(0x10C30C30C30C30C3)
    return (value | (value << wp.int64(2))) & wp.int64(0x1249249249249249)


@wp.kernel
def block_boxes(
    first: int,
    points: wp.array(dtype=Any),
    indices: wp.array(dtype=wp.int32),
    block: int,
    low: wp.array(dtype=Any),
    high: wp.array(dtype=Any),
    least_index: wp.array(dtype=wp.int32),
):
    """Bounding box and least index of `block` consecutive points."""
    i = first + wp.tid()
    begin = i * block
    end = wp.min(begin + block, points.shape[0])
    box_low = points[begin]
    box_high = points[begin]
    least = indices[begin]
    for j in range(begin + 1, end):
        box_low = wp.min(box_low, points[j])
        box_high = wp.max(box_high, points[j])
        least = wp.min(least, indices[j])
    low[i] = box_low
    high[i] = box_high
    least_index[i] = least


@wp.kernel
def group_boxes(
    first: int,
    level_first: int,
    level_end: int,
    fan_out: int,
    low: wp.array(dtype=Any),
    high: wp.array(dtype=Any),
    least_index: wp.array(dtype=wp.int32),
):
    """The next level: boxes around `fan_out` consecutive boxes of the level [level_first, level_end)."""
    i = first + wp.tid()
    begin = level_first + i * fan_out
    end = wp.min(begin + fan_out, level_end)
    box_low = low[begin]
    box_high = high[begin]
    least = least_index[begin]
    for j in range(begin + 1, end):
        box_low = wp.min(box_low, low[j])
        box_high = wp.max(box_high, high[j])
        least = wp.min(least, least_index[j])
    low[level_end + i] = box_low
    high[level_end + i] = box_high
    least_index[level_end + i] = least


@wp.func
def box_squared_distance(query: Any, low: Any, high: Any):
    """Never more than the rounded squared distance to any point of the box: each rounded operation is monotonic."""
    outside = wp.max(wp.max(low - query, query - high), query - query)
    return wp.dot(outside, outside)


def _overloads(kernel: wp.Kernel, *names: str) -> dict[int, wp.Kernel]:
    """The kernel for points of 4 and of 8 bytes a coordinate; `names` are its arrays of points."""
    return {
        4: wp.overload(kernel, {name: wp.array(dtype=wp.vec3f) for name in names}),
        8: wp.overload(kernel, {name: wp.array(dtype=wp.vec3d) for name in names}),
    }


BLOCK_BOXES = _overloads(block_boxes, "points", "low", "high")
GROUP_BOXES = _overloads(group_boxes, "low", "high")
