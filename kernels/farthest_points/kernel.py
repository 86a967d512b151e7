"""Farthest-point sampling by one thread that goes only where a new sample is nearer than the samples before it.

Every box of the point tree knows the largest distance among its points. A new sample changes nothing in a box
that is at least as far from it, so after the first few samples it touches a small, shrinking neighbourhood.
"""

from typing import Any

import warp as wp

from isopts.kernels.point_tree.kernel import box_squared_distance
from isopts.kernels.point_tree.tree import BLOCK

wp.set_module_options({"enable_backward": False})

_BLOCK = wp.constant(BLOCK)


@wp.func
def update_block(
    block: int,
    sample: Any,
    sample_index: wp.int32,
    points: wp.array(dtype=Any),
    point_indices: wp.array(dtype=wp.int32),
    distances: wp.array(dtype=Any),
    box_distance: wp.array(dtype=Any),
    box_index: wp.array(dtype=wp.int32),
):
    """Lower the distances of the block's points, -1 for the sample itself, and find the farthest of them."""
    begin = block * _BLOCK
    end = wp.min(begin + _BLOCK, points.shape[0])
    for j in range(begin, end):
        difference = points[j] - sample
        distance = wp.min(distances[j], wp.dot(difference, difference))
        index = point_indices[j]
        if index == sample_index:
            distance = type(distance)(-1.0)
        distances[j] = distance
        farthest = box_distance[block]
        if j == begin or distance > farthest or (distance == farthest and index < box_index[block]):
            box_distance[block] = distance
            box_index[block] = index


@wp.func
def update_box(
    box: int,
    first_child: wp.array(dtype=wp.int32),
    box_distance: wp.array(dtype=Any),
    box_index: wp.array(dtype=wp.int32),
):
    best = first_child[box]
    for child in range(best + 1, first_child[box + 1]):
        farther = box_distance[child] > box_distance[best]
        if farther or (box_distance[child] == box_distance[best] and box_index[child] < box_index[best]):
            best = child
    box_distance[box] = box_distance[best]
    box_index[box] = box_index[best]


@wp.kernel
def select_farthest(
    first: int,
    cloud: wp.array(dtype=Any),
    points: wp.array(dtype=Any),
    point_indices: wp.array(dtype=wp.int32),
    low: wp.array(dtype=Any),
    high: wp.array(dtype=Any),
    first_child: wp.array(dtype=wp.int32),
    distances: wp.array(dtype=Any),
    box_distance: wp.array(dtype=Any),
    box_index: wp.array(dtype=wp.int32),
    queue: wp.array(dtype=wp.int32),
    selected: wp.array(dtype=wp.int64),
):
    """Fill `selected` after its first entry. A single element; the state is infinite distances at the start."""
    blocks = (points.shape[0] + _BLOCK - 1) // _BLOCK
    root = first_child.shape[0] - 2
    for step in range(first + 1, selected.shape[0]):
        sample_index = int(selected[step - 1])
        sample = cloud[sample_index]
        if root < blocks:
            update_block(root, sample, sample_index, points, point_indices, distances, box_distance, box_index)
        else:
            queue[0] = root
            end = int(1)
            begin = int(0)
            while begin < end:
                box = queue[begin]
                begin += 1
                for child in range(first_child[box], first_child[box + 1]):
                    nearer = box_squared_distance(sample, low[child], high[child]) < box_distance[child]
                    # the sample is the farthest point of every box around it; the first is not known to them yet
                    if nearer or box_index[child] == sample_index or step == 1:
                        if child < blocks:
                            update_block(
                                child, sample, sample_index, points, point_indices, distances, box_distance, box_index
                            )
                        else:
                            queue[end] = child
                            end += 1
            while end > 0:  # parents come before their children in the queue
                end -= 1
                update_box(queue[end], first_child, box_distance, box_index)
        selected[step] = wp.int64(box_index[root])


def _select_farthest(vector: type, scalar: type) -> wp.Kernel:
    vectors = {name: wp.array(dtype=vector) for name in ("cloud", "points", "low", "high")}
    scalars = {name: wp.array(dtype=scalar) for name in ("distances", "box_distance")}
    return wp.overload(select_farthest, {**vectors, **scalars})


SELECT_FARTHEST = {  # by bytes a coordinate
    4: _select_farthest(wp.vec3f, wp.float32),
    8: _select_farthest(wp.vec3d, wp.float64),
}
