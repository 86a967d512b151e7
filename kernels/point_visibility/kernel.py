"""Two passes: every point lowers the depth of the pixels it covers, then compares its own depth with its pixel."""

import warp as wp

wp.set_module_options({"enable_backward": False})

FACING_COSINE_MIN = 0.05  # points seen more obliquely hide nothing: their square would be far larger than they look
SLOPE_COSINE_MIN = 0.3  # no more tolerance than at this obliqueness
_FACING_COSINE_MIN = wp.constant(FACING_COSINE_MIN)
_SLOPE_COSINE_MIN = wp.constant(SLOPE_COSINE_MIN)
mat34 = wp.types.matrix(shape=(3, 4), dtype=float)


@wp.func
def cosine_to(center: wp.vec3, point: wp.vec3, normal: wp.vec3):
    """NaN where the point is the centre: fails every comparison."""
    to_camera = center - point
    return wp.dot(normal, to_camera) / wp.length(to_camera)


@wp.kernel
def splat_kernel(
    first: int,
    points_per_task: int,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    projections: wp.array(dtype=mat34),
    centers: wp.array(dtype=wp.vec3),
    sizes: wp.array(dtype=wp.vec2i),
    focal_lengths: wp.array(dtype=float),
    starts: wp.array(dtype=wp.int64),
    radius: float,
    depths: wp.array(dtype=float),
):
    """Task = (view, run of points). On the CPU, where atomics are plain, a run is all points."""
    task = first + wp.tid()
    count = points.shape[0]
    tasks_per_view = (count + points_per_task - 1) // points_per_task
    view = task // tasks_per_view
    begin = (task % tasks_per_view) * points_per_task
    projection = projections[view]
    center = centers[view]
    width = sizes[view][0]
    height = sizes[view][1]
    for n in range(begin, wp.min(begin + points_per_task, count)):
        p = points[n]
        if not (cosine_to(center, p, normals[n]) >= _FACING_COSINE_MIN):  # half of the points: before the projection
            continue
        homogeneous = projection * wp.vec4(p[0], p[1], p[2], 1.0)
        depth = homogeneous[2]
        if depth > 0.0:
            column = homogeneous[0] / depth
            row = homogeneous[1] / depth
            reach = wp.clamp(focal_lengths[view] * radius / depth, 0.5, float(width + height))
            left = int(wp.ceil(wp.clamp(column - reach, 0.0, float(width))))
            right = int(wp.floor(wp.clamp(column + reach, -1.0, float(width - 1))))
            top = int(wp.ceil(wp.clamp(row - reach, 0.0, float(height))))
            bottom = int(wp.floor(wp.clamp(row + reach, -1.0, float(height - 1))))
            for y in range(top, bottom + 1):
                line = starts[view] + wp.int64(y) * wp.int64(width)
                for x in range(left, right + 1):
                    wp.atomic_min(depths, line + wp.int64(x), depth)


@wp.kernel
def compare_kernel(
    first: int,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    projections: wp.array(dtype=mat34),
    centers: wp.array(dtype=wp.vec3),
    sizes: wp.array(dtype=wp.vec2i),
    starts: wp.array(dtype=wp.int64),
    depths: wp.array(dtype=float),
    tolerance: float,
    cosine_min: float,
    cosines: wp.array2d(dtype=float),
):
    n = first + wp.tid()
    p = points[n]
    normal = normals[n]
    for view in range(sizes.shape[0]):
        seen = float(0.0)
        cosine = cosine_to(centers[view], p, normal)
        if cosine >= cosine_min:
            homogeneous = projections[view] * wp.vec4(p[0], p[1], p[2], 1.0)
            depth = homogeneous[2]
            width = sizes[view][0]
            height = sizes[view][1]
            column = wp.floor(homogeneous[0] / depth + 0.5)
            row = wp.floor(homogeneous[1] / depth + 0.5)
            inside = column >= 0.0 and column < float(width) and row >= 0.0 and row < float(height)
            if depth > 0.0 and inside:
                pixel = starts[view] + wp.int64(row) * wp.int64(width) + wp.int64(column)
                if depth < depths[pixel] + tolerance / wp.max(_SLOPE_COSINE_MIN, cosine):
                    seen = cosine
        cosines[n, view] = seen
