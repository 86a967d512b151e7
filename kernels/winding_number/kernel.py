"""Dipole sum over a point tree: a box that is far for its size counts as one dipole."""

import warp as wp

from isopts.kernels.point_tree.tree import BLOCK

wp.set_module_options({"enable_backward": False})

_BLOCK = wp.constant(BLOCK)
_STACK = wp.constant(64)  # three boxes a level of a tree that holds 2^31 points


@wp.func
def dipole(offset: wp.vec3, moment: wp.vec3, softening: float):
    distance = wp.max(wp.length(offset), softening)
    return wp.dot(offset, moment) / (distance * distance * distance)


@wp.kernel
def sum_dipoles(
    first: int,
    queries: wp.array(dtype=wp.vec3),
    softening: float,
    opening: float,
    points: wp.array(dtype=wp.vec3),
    area_normals: wp.array(dtype=wp.vec3),
    centers: wp.array(dtype=wp.vec3),
    radii: wp.array(dtype=float),
    moments: wp.array(dtype=wp.vec3),
    first_child: wp.array(dtype=wp.int32),
    winding: wp.array(dtype=float),
):
    """winding[i] of query i. A box of radius r counts as one dipole beyond the distance opening * r."""
    i = first + wp.tid()
    query = queries[i]
    blocks = (points.shape[0] + _BLOCK - 1) // _BLOCK
    boxes = wp.zeros(shape=(_STACK,), dtype=wp.int32)
    boxes[0] = first_child.shape[0] - 2
    size = int(1)
    total = float(0.0)
    while size > 0:
        size -= 1
        box = boxes[size]
        offset = centers[box] - query
        if wp.length(offset) > opening * radii[box] + softening:
            total += dipole(offset, moments[box], softening)
        elif box < blocks:
            for j in range(box * _BLOCK, wp.min((box + 1) * _BLOCK, points.shape[0])):
                total += dipole(points[j] - query, area_normals[j], softening)
        else:
            for child in range(first_child[box], first_child[box + 1]):
                boxes[size] = child
                size += 1
    winding[i] = total / (4.0 * wp.pi)
