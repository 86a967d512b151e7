"""Search of a point tree: best-k rows kept sorted in place, boxes skipped by distance and index."""

from typing import Any

import warp as wp

from isopts.kernels.point_tree.tree import BLOCK, FAN_OUT

wp.set_module_options({"enable_backward": False})

_BLOCK = wp.constant(BLOCK)
_FAN_OUT = wp.constant(FAN_OUT)
_NO_INDEX = wp.constant(wp.int64(2**31))  # after every index


@wp.func
def box_squared_distance(query: Any, low: Any, high: Any):
    """Never more than the rounded distance to any point of the box: every operation is monotonic."""
    outside = wp.max(wp.max(low - query, query - high), query - query)
    return wp.dot(outside, outside)


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
    """Put the points of a block into the row where they are nearer than its last entry, or as near and earlier."""
    last = indices.shape[1] - 1
    begin = block * _BLOCK
    end = wp.min(begin + _BLOCK, points.shape[0])
    for j in range(begin, end):
        difference = points[j] - query
        distance = wp.dot(difference, difference)
        worst = squared_distances[row, last]
        if distance <= worst:
            index = wp.int64(point_indices[j])
            if distance < worst or index < indices[row, last]:
                slot = last
                while slot > 0 and (
                    squared_distances[row, slot - 1] > distance
                    or (squared_distances[row, slot - 1] == distance and indices[row, slot - 1] > index)
                ):
                    squared_distances[row, slot] = squared_distances[row, slot - 1]
                    indices[row, slot] = indices[row, slot - 1]
                    slot -= 1
                squared_distances[row, slot] = distance
                indices[row, slot] = index


@wp.func
def nearest_block(
    query: Any, low: wp.array(dtype=Any), high: wp.array(dtype=Any), level_first: wp.array(dtype=wp.int32), top: int
):
    """The block reached by going to the nearest box on every level: a first guess."""
    node = int(0)
    for down in range(1, top + 1):
        level = top - down
        begin = level_first[level] + node * _FAN_OUT
        end = wp.min(begin + _FAN_OUT, level_first[level + 1])
        best = begin
        least = box_squared_distance(query, low[begin], high[begin])
        for box in range(begin + 1, end):
            distance = box_squared_distance(query, low[box], high[box])
            if distance < least:
                least = distance
                best = box
        node = best - level_first[level]
    return node


@wp.kernel
def search_tree(
    first: int,
    queries: wp.array(dtype=Any),
    order: wp.array(dtype=wp.int32),
    order_is_of_points: int,
    squared_radius: Any,
    points: wp.array(dtype=Any),
    point_indices: wp.array(dtype=wp.int32),
    low: wp.array(dtype=Any),
    high: wp.array(dtype=Any),
    least_index: wp.array(dtype=wp.int32),
    level_first: wp.array(dtype=wp.int32),
    indices: wp.array2d(dtype=wp.int64),
    squared_distances: wp.array2d(dtype=Any),
):
    """Fill row order[i] of the results. With `order_is_of_points` that query is the i-th point of the tree."""
    i = first + wp.tid()
    row = int(order[i])
    query = queries[row]
    last = indices.shape[1] - 1
    top = level_first.shape[0] - 2
    for slot in range(last + 1):
        indices[row, slot] = _NO_INDEX
        squared_distances[row, slot] = squared_radius
    start = i // _BLOCK
    if order_is_of_points == 0:
        start = nearest_block(query, low, high, level_first, top)
    insert_block(start, query, points, point_indices, row, indices, squared_distances)

    level = int(top)
    node = int(0)
    while level <= top:
        box = level_first[level] + node
        distance = box_squared_distance(query, low[box], high[box])
        bound = squared_distances[row, last]
        visit = distance < bound or (distance == bound and wp.int64(least_index[box]) < indices[row, last])
        if visit and level > 0:
            level -= 1
            node = node * _FAN_OUT
        else:
            if visit and node != start:
                insert_block(node, query, points, point_indices, row, indices, squared_distances)
            node += 1
            while level <= top and (node % _FAN_OUT == 0 or level_first[level] + node == level_first[level + 1]):
                node = (node - 1) // _FAN_OUT + 1
                level += 1

    for slot in range(last + 1):
        if indices[row, slot] == _NO_INDEX:
            indices[row, slot] = wp.int64(-1)
            squared_distances[row, slot] = type(squared_radius)(-1.0)


def _search_tree(vector: type, scalar: type) -> wp.Kernel:
    arrays = {name: wp.array(dtype=vector) for name in ("queries", "points", "low", "high")}
    return wp.overload(search_tree, {**arrays, "squared_radius": scalar, "squared_distances": wp.array2d(dtype=scalar)})


SEARCH_TREE = {4: _search_tree(wp.vec3f, wp.float32), 8: _search_tree(wp.vec3d, wp.float64)}  # by bytes a coordinate
