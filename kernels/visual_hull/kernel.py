"""One point a thread: all views, keeping the largest few distances."""

import warp as wp

wp.set_module_options({"enable_backward": False})

RANK_MAX = 16
_RANK_MAX = wp.constant(RANK_MAX)
mat34 = wp.types.matrix(shape=(3, 4), dtype=float)


@wp.func
def bilinear(maps: wp.array(dtype=float), start: wp.int64, width: int, height: int, column: float, row: float):
    """Value at a place in the image; beyond the centres of its outermost pixels those are continued."""
    u = wp.clamp(column, 0.0, float(width - 1))
    v = wp.clamp(row, 0.0, float(height - 1))
    left = wp.min(int(u), wp.max(width - 2, 0))
    top = wp.min(int(v), wp.max(height - 2, 0))
    right = wp.min(left + 1, width - 1)
    bottom = wp.min(top + 1, height - 1)
    a = u - float(left)
    b = v - float(top)
    above = start + wp.int64(top) * wp.int64(width)
    below = start + wp.int64(bottom) * wp.int64(width)
    upper = (1.0 - a) * maps[above + wp.int64(left)] + a * maps[above + wp.int64(right)]
    lower = (1.0 - a) * maps[below + wp.int64(left)] + a * maps[below + wp.int64(right)]
    return (1.0 - b) * upper + b * lower


@wp.kernel
def hull_distances(
    first: int,
    points: wp.array(dtype=wp.vec3),
    maps: wp.array(dtype=float),
    starts: wp.array(dtype=wp.int64),
    sizes: wp.array(dtype=wp.vec2i),
    projections: wp.array(dtype=mat34),
    focal_lengths: wp.array(dtype=float),
    rank: int,
    views_min: int,
    unseen: float,
    distances: wp.array(dtype=float),
    seen: wp.array(dtype=wp.int32),
    views: wp.array(dtype=wp.int32),
):
    i = first + wp.tid()
    p = points[i]
    largest = wp.zeros(shape=(_RANK_MAX,), dtype=float)  # descending, the first `rank` of them
    owners = wp.zeros(shape=(_RANK_MAX,), dtype=wp.int32)
    for slot in range(rank):
        largest[slot] = -wp.inf
        owners[slot] = -1
    count = int(0)
    for view in range(starts.shape[0]):
        homogeneous = projections[view] * wp.vec4(p[0], p[1], p[2], 1.0)
        depth = homogeneous[2]
        if depth > 0.0:
            column = homogeneous[0] / depth
            row = homogeneous[1] / depth
            width = sizes[view][0]
            height = sizes[view][1]
            if column >= -0.5 and column <= float(width) - 0.5 and row >= -0.5 and row <= float(height) - 0.5:
                count += 1
                distance = bilinear(maps, starts[view], width, height, column, row) * depth / focal_lengths[view]
                owner = view
                for slot in range(rank):
                    if distance > largest[slot]:
                        smaller = largest[slot]
                        smaller_owner = owners[slot]
                        largest[slot] = distance
                        owners[slot] = owner
                        distance = smaller
                        owner = smaller_owner
    seen[i] = count
    if count >= wp.max(views_min, rank):
        distances[i] = largest[rank - 1]
        views[i] = owners[rank - 1]
    else:
        distances[i] = unseen
        views[i] = -1
