"""Closest points and ray hits by traversal of Warp's bounding volume hierarchy (BVH) of a triangle mesh."""

from typing import Any

import warp as wp

wp.set_module_options({"enable_backward": False})

FARTHEST = wp.constant(1.0e18)  # its square is still a float32


@wp.func
def closest_on_segment(a: wp.vec3, b: wp.vec3, query: wp.vec3):
    edge = b - a
    length_squared = wp.dot(edge, edge)
    if length_squared == 0.0:
        return a
    return a + wp.clamp(wp.dot(query - a, edge) / length_squared, 0.0, 1.0) * edge


@wp.kernel
def closest_point_kernel(
    first: int,
    mesh: wp.uint64,
    slivers: wp.array(dtype=int),
    queries: wp.array(dtype=wp.vec3),
    points: wp.array(dtype=wp.vec3),
    distances: wp.array(dtype=float),
    faces: wp.array(dtype=wp.int64),
):
    """slivers: faces that the traversal leaves out because they have no area; they are their three edges."""
    index = first + wp.tid()
    query = queries[index]
    best = wp.vec3(wp.nan, wp.nan, wp.nan)
    best_distance = wp.float32(wp.inf)
    best_face = wp.int32(-1)
    found = wp.mesh_query_point_no_sign(mesh, query, FARTHEST)
    if found.result:
        best = wp.mesh_eval_position(mesh, found.face, found.u, found.v)
        best_distance = wp.length(best - query)
        best_face = found.face
    for item in range(slivers.shape[0]):
        face = slivers[item]
        for corner in range(3):
            a = wp.mesh_get_point(mesh, 3 * face + corner)
            b = wp.mesh_get_point(mesh, 3 * face + (corner + 1) % 3)
            candidate = closest_on_segment(a, b, query)
            distance = wp.length(candidate - query)
            if distance < best_distance:
                best = candidate
                best_distance = distance
                best_face = face
    points[index] = best
    distances[index] = wp.where(best_face < 0, wp.nan, best_distance)
    faces[index] = wp.int64(best_face)


@wp.kernel
def ray_kernel(
    first: int,
    mesh: wp.uint64,
    origins: wp.array(dtype=wp.vec3),
    directions: wp.array(dtype=wp.vec3),
    distances: wp.array(dtype=float),
    faces: wp.array(dtype=wp.int64),
    barycentric: wp.array(dtype=wp.vec3),
):
    index = first + wp.tid()
    hit = wp.mesh_query_ray(mesh, origins[index], directions[index], FARTHEST)
    if hit.result:
        distances[index] = hit.t
        faces[index] = wp.int64(hit.face)
        barycentric[index] = wp.vec3(hit.u, hit.v, 1.0 - hit.u - hit.v)
    else:
        distances[index] = wp.inf
        faces[index] = wp.int64(-1)
        barycentric[index] = wp.vec3(0.0, 0.0, 0.0)


def build_mesh(points: Any, indices: Any) -> wp.Mesh:
    """BVH over `points` (V, 3) float32 and the flat corner list `indices` (3F,) int32, both torch tensors."""
    return wp.Mesh(points=wp.from_torch(points, dtype=wp.vec3), indices=wp.from_torch(indices, dtype=wp.int32))
