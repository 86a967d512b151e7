"""Dipole sum over a point tree: a box that is far for its size counts as one dipole."""

import warp as wp

from isopts.kernels.point_tree.tree import BLOCK, FAN_OUT

wp.set_module_options({"enable_backward": False})

_BLOCK = wp.constant(BLOCK)
_FAN_OUT = wp.constant(FAN_OUT)


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
    level_first: wp.array(dtype=wp.int32),
    winding: wp.array(dtype=float),
):
    """winding[i] of query i. A box of radius r counts as one dipole beyond the distance opening * r."""
    i = first + wp.tid()
    query = queries[i]
    top = level_first.shape[0] - 2
    level = int(top)
    node = int(0)
    total = float(0.0)
    while level <= top:
        box = level_first[level] + node
        offset = centers[box] - query
        near = wp.length(offset) <= opening * radii[box] + softening
        if near and level > 0:
            level -= 1
            node = node * _FAN_OUT
        else:
            if near:
                for j in range(node * _BLOCK, wp.min((node + 1) * _BLOCK, points.shape[0])):
                    total += dipole(points[j] - query, area_normals[j], softening)
            else:
                total += dipole(offset, moments[box], softening)
            node += 1
            while level <= top and (node % _FAN_OUT == 0 or level_first[level] + node == level_first[level + 1]):
                node = (node - 1) // _FAN_OUT + 1
                level += 1
    winding[i] = total / (4.0 * wp.pi)
