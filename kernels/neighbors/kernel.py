"""Search of a point tree for groups of queries: one walk down the tree serves a whole group."""

from typing import Any

import warp as wp

from isopts.kernels.point_tree.kernel import box_squared_distance
from isopts.kernels.point_tree.tree import BLOCK

wp.set_module_options({"enable_backward": False})

GROUP = BLOCK  # queries that share a walk; equal to BLOCK, so that queries of the tree's own points are its blocks
_BLOCK = wp.constant(BLOCK)
_NO_INDEX = wp.constant(wp.int64(2**31))  # after every index
_STACK = wp.constant(64)  # three waiting boxes a level, 14 levels for 2^31 points


@wp.func
def boxes_squared_distance(low: Any, high: Any, other_low: Any, other_high: Any):
    outside = wp.max(wp.max(other_low - high, low - other_high), low - low)
    return wp.dot(outside, outside)


@wp.func
def can_improve(
    query: Any,
    low: Any,
    high: Any,
    least_index: wp.int32,
    row: int,
    indices: wp.array2d(dtype=wp.int64),
    squared_distances: wp.array2d(dtype=Any),
):
    """Whether a point of the box could come before the last entry of the row, by distance or, as near, by index.

    The index keeps a cloud of equal points from being searched whole for every query.
    """
    last = indices.shape[1] - 1
    distance = box_squared_distance(query, low, high)
    worst = squared_distances[row, last]
    return distance < worst or (distance == worst and wp.int64(least_index) < indices[row, last])


@wp.func
def insert_block(
    block: int,
    query: Any,
    points: wp.array(dtype=Any),
    point_indices: wp.array(dtype=wp.int32),
    row: int,
    indices: wp.array2d(dtype=wp.int64),
    squared_distances: wp.array2d(dtype=Any),
):
    """Put the points of the block that come before the last entry of the row where they belong."""
    last = indices.shape[1] - 1
    begin = block * _BLOCK
    end = wp.min(begin + _BLOCK, points.shape[0])
    worst = squared_distances[row, last]
    for j in range(begin, end):
        difference = points[j] - query
        distance = wp.dot(difference, difference)
        index = wp.int64(point_indices[j])
        if distance < worst or (distance == worst and index < indices[row, last]):
            slot = last
            while slot > 0:
                before = squared_distances[row, slot - 1]
                index_before = indices[row, slot - 1]
                if before < distance or (before == distance and index_before < index):
                    break
                squared_distances[row, slot] = before
                indices[row, slot] = index_before
                slot -= 1
            squared_distances[row, slot] = distance
            indices[row, slot] = index
            worst = squared_distances[row, last]


@wp.kernel
def search_tree(
    first: int,
    queries: wp.array(dtype=Any),
    order: wp.array(dtype=wp.int32),
    queries_are_points: int,
    squared_radius: Any,
    points: wp.array(dtype=Any),
    point_indices: wp.array(dtype=wp.int32),
    low: wp.array(dtype=Any),
    high: wp.array(dtype=Any),
    least_index: wp.array(dtype=wp.int32),
    first_child: wp.array(dtype=wp.int32),
    indices: wp.array2d(dtype=wp.int64),
    squared_distances: wp.array2d(dtype=Any),
):
    """One element fills the rows order[i] of GROUP queries i, which are near each other.

    The rows are the only state: sorted, and padded with the squared radius under an index after all others, so that
    their last entries are the bounds of the search. Boxes are visited nearest to the group first.
    """
    group = first + wp.tid()
    begin = group * _BLOCK
    end = wp.min(begin + _BLOCK, queries.shape[0])
    last = indices.shape[1] - 1
    blocks = (points.shape[0] + _BLOCK - 1) // _BLOCK
    group_low = queries[begin]
    group_high = queries[begin]
    for i in range(begin, end):
        group_low = wp.min(group_low, queries[i])
        group_high = wp.max(group_high, queries[i])
        for slot in range(last + 1):
            indices[order[i], slot] = _NO_INDEX
            squared_distances[order[i], slot] = squared_radius
    bound = squared_radius  # the largest of the group's

    start = int(-1)
    if queries_are_points != 0:
        start = group
        bound = type(squared_radius)(0.0)
        for i in range(begin, end):
            insert_block(start, queries[i], points, point_indices, order[i], indices, squared_distances)
            bound = wp.max(bound, squared_distances[order[i], last])

    boxes = wp.zeros(shape=(_STACK,), dtype=wp.int32)
    distances = wp.zeros(shape=(_STACK,), dtype=type(squared_radius))
    boxes[0] = first_child.shape[0] - 2
    size = int(1)
    while size > 0:
        size -= 1
        box = boxes[size]
        if distances[size] <= bound and box != start:
            i = int(begin)
            while i < end and not can_improve(
                queries[i], low[box], high[box], least_index[box], order[i], indices, squared_distances
            ):
                i += 1
            if i < end and box < blocks:
                while i < end:
                    if can_improve(
                        queries[i], low[box], high[box], least_index[box], order[i], indices, squared_distances
                    ):
                        insert_block(box, queries[i], points, point_indices, order[i], indices, squared_distances)
                    i += 1
                bound = type(squared_radius)(0.0)
                for member in range(begin, end):
                    bound = wp.max(bound, squared_distances[order[member], last])
            elif i < end:
                bottom = size
                for child in range(first_child[box], first_child[box + 1]):
                    distance = boxes_squared_distance(group_low, group_high, low[child], high[child])
                    slot = size
                    while slot > bottom and distances[slot - 1] <= distance:
                        distances[slot] = distances[slot - 1]
                        boxes[slot] = boxes[slot - 1]
                        slot -= 1
                    distances[slot] = distance
                    boxes[slot] = child
                    size += 1

    for i in range(begin, end):
        for slot in range(last + 1):
            if indices[order[i], slot] == _NO_INDEX:
                indices[order[i], slot] = wp.int64(-1)
                squared_distances[order[i], slot] = type(squared_radius)(-1.0)


def _search_tree(vector: type, scalar: type) -> wp.Kernel:
    arrays = {name: wp.array(dtype=vector) for name in ("queries", "points", "low", "high")}
    scalars = {"squared_radius": scalar, "squared_distances": wp.array2d(dtype=scalar)}
    return wp.overload(search_tree, {**arrays, **scalars})


SEARCH_TREE = {4: _search_tree(wp.vec3f, wp.float32), 8: _search_tree(wp.vec3d, wp.float64)}  # by bytes a coordinate
