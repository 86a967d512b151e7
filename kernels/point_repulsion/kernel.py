"""One point a thread; nothing of size (N, K, 3) is stored."""

from typing import Any

import warp as wp

wp.set_module_options({"enable_backward": False})


@wp.kernel
def repel(
    first: int,
    points: wp.array(dtype=Any),
    normals: wp.array(dtype=Any),
    neighbors: wp.array2d(dtype=wp.int64),
    inverse_squared_length: Any,
    smallest_cosine: Any,
    own_plane: int,
    displacements: wp.array(dtype=Any),
):
    i = first + wp.tid()
    point = points[i]
    normal = normals[i]
    total = type(inverse_squared_length)(0.0)
    pushed = point - point
    for slot in range(neighbors.shape[1]):
        j = neighbors[i, slot]
        if j >= wp.int64(0):
            other_normal = normals[j]
            if wp.dot(normal, other_normal) >= smallest_cosine:
                difference = point - points[j]
                weight = wp.exp(-wp.dot(difference, difference) * inverse_squared_length)
                total += weight
                plane = normal if own_plane != 0 else other_normal
                pushed += weight * (difference - wp.dot(difference, plane) * plane)
    if total > type(inverse_squared_length)(0.0):
        pushed = (pushed / total) * (type(inverse_squared_length)(1.0) + total)  # 1 / total overflows far from others
    displacements[i] = pushed


def _repel(vector: type, scalar: type) -> wp.Kernel:
    arrays = {name: wp.array(dtype=vector) for name in ("points", "normals", "displacements")}
    return wp.overload(repel, {**arrays, "inverse_squared_length": scalar, "smallest_cosine": scalar})


REPEL = {4: _repel(wp.vec3f, wp.float32), 8: _repel(wp.vec3d, wp.float64)}  # by bytes a coordinate
