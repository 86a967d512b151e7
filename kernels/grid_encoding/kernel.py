"""Warp kernels of the encoding; see `cell` for what a level is."""

import warp as wp

from isopts.kernels.grid_encoding.linear import interpolate_linear, scatter_linear
from isopts.kernels.grid_encoding.quadratic import interpolate_quadratic, scatter_quadratic

wp.set_module_options({"enable_backward": False})

mat23 = wp.types.matrix(shape=(2, 3), dtype=float)


@wp.func
def interpolate(point: wp.vec3, level: wp.vec4i, table: wp.array(dtype=wp.vec2)):
    """Features of a level at a point."""
    if level[3] == 1:
        return interpolate_linear(point, level, table)
    return interpolate_quadratic(point, level, table)


@wp.func
def scatter(
    point: wp.vec3,
    level: wp.vec4i,
    value: wp.vec2,
    dx: wp.vec2,
    dy: wp.vec2,
    dz: wp.vec2,
    table_gradient: wp.array(dtype=wp.vec2),
):
    """Transpose of `interpolate`: add the gradients of the value and the first derivatives to the level's entries."""
    if level[3] == 1:
        scatter_linear(point, level, value, dx, dy, dz, table_gradient)
    else:
        scatter_quadratic(point, level, value, dx, dy, dz, table_gradient)


@wp.kernel
def encode_kernel(
    first: int,
    points: wp.array(dtype=wp.vec3),
    table: wp.array(dtype=wp.vec2),
    levels: wp.array(dtype=wp.vec4i),
    features: wp.array2d(dtype=wp.vec2),
    jacobian: wp.array2d(dtype=mat23),
):
    """`jacobian` may be empty."""
    n = first + wp.tid()
    point = points[n]
    for level in range(levels.shape[0]):
        if jacobian.shape[0] > 0:
            at = interpolate(point, levels[level], table)
            features[n, level] = at.value
            jacobian[n, level] = mat23(at.dx[0], at.dy[0], at.dz[0], at.dx[1], at.dy[1], at.dz[1])
        else:  # a call of its own, from which the compiler removes the derivatives
            features[n, level] = interpolate(point, levels[level], table).value


@wp.kernel
def table_gradient_kernel(
    first: int,
    points_per_task: int,
    points: wp.array(dtype=wp.vec3),
    levels: wp.array(dtype=wp.vec4i),
    feature_gradient: wp.array2d(dtype=wp.vec2),
    jacobian_gradient: wp.array2d(dtype=mat23),
    table_gradient: wp.array(dtype=wp.vec2),
):
    """Task = (level, run of points), the finest level first. `jacobian_gradient` may be empty."""
    task = first + wp.tid()
    count = points.shape[0]
    tasks_per_level = (count + points_per_task - 1) // points_per_task
    level = levels.shape[0] - 1 - task // tasks_per_level
    begin = (task % tasks_per_level) * points_per_task
    dx = wp.vec2()
    dy = wp.vec2()
    dz = wp.vec2()
    for n in range(begin, wp.min(begin + points_per_task, count)):
        if jacobian_gradient.shape[0] > 0:
            gradient = jacobian_gradient[n, level]
            dx = wp.vec2(gradient[0, 0], gradient[1, 0])
            dy = wp.vec2(gradient[0, 1], gradient[1, 1])
            dz = wp.vec2(gradient[0, 2], gradient[1, 2])
        scatter(points[n], levels[level], feature_gradient[n, level], dx, dy, dz, table_gradient)


@wp.kernel
def point_gradient_kernel(
    first: int,
    points: wp.array(dtype=wp.vec3),
    table: wp.array(dtype=wp.vec2),
    levels: wp.array(dtype=wp.vec4i),
    feature_gradient: wp.array2d(dtype=wp.vec2),
    jacobian_gradient: wp.array2d(dtype=mat23),
    point_gradient: wp.array(dtype=wp.vec3),
):
    """Features through the Jacobian, the Jacobian through the second derivatives."""
    n = first + wp.tid()
    total = wp.vec3()
    for level in range(levels.shape[0]):
        at = interpolate(points[n], levels[level], table)
        f = feature_gradient[n, level]
        total += wp.vec3(wp.dot(f, at.dx), wp.dot(f, at.dy), wp.dot(f, at.dz))
        if jacobian_gradient.shape[0] > 0:
            gradient = jacobian_gradient[n, level]
            dx = wp.vec2(gradient[0, 0], gradient[1, 0])
            dy = wp.vec2(gradient[0, 1], gradient[1, 1])
            dz = wp.vec2(gradient[0, 2], gradient[1, 2])
            total += wp.vec3(
                wp.dot(dx, at.dxx) + wp.dot(dy, at.dxy) + wp.dot(dz, at.dxz),
                wp.dot(dx, at.dxy) + wp.dot(dy, at.dyy) + wp.dot(dz, at.dyz),
                wp.dot(dx, at.dxz) + wp.dot(dy, at.dyz) + wp.dot(dz, at.dzz),
            )
    point_gradient[n] = total
