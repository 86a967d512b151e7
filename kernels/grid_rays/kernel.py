"""One ray a thread: steps nearly as long as the sampled distance."""

import warp as wp

wp.set_module_options({"enable_backward": False})

SAFETY = wp.constant(0.8)
FAR = wp.constant(1.0e30)


@wp.func
def trilinear(grid: wp.array3d(dtype=float), point: wp.vec3):
    """Value at a point of [-1, 1]^3, whose corners are the grid's outermost samples."""
    last = grid.shape[0] - 1
    half = 0.5 * float(last)
    x = wp.clamp((point[0] + 1.0) * half, 0.0, float(last))
    y = wp.clamp((point[1] + 1.0) * half, 0.0, float(last))
    z = wp.clamp((point[2] + 1.0) * half, 0.0, float(last))
    i = wp.min(int(x), last - 1)
    j = wp.min(int(y), last - 1)
    k = wp.min(int(z), last - 1)
    a = x - float(i)
    b = y - float(j)
    c = z - float(k)
    lower = (1.0 - b) * ((1.0 - c) * grid[i, j, k] + c * grid[i, j, k + 1])
    lower += b * ((1.0 - c) * grid[i, j + 1, k] + c * grid[i, j + 1, k + 1])
    upper = (1.0 - b) * ((1.0 - c) * grid[i + 1, j, k] + c * grid[i + 1, j, k + 1])
    upper += b * ((1.0 - c) * grid[i + 1, j + 1, k] + c * grid[i + 1, j + 1, k + 1])
    return (1.0 - a) * lower + a * upper


@wp.func
def crossings_of_cube(origin: wp.vec3, direction: wp.vec3):
    """Distances at which a ray enters (0 from inside) and leaves [-1, 1]^3; leave < enter for a ray that misses it."""
    enter = float(0.0)
    leave = float(FAR)
    for axis in range(3):
        if direction[axis] == 0.0:
            if wp.abs(origin[axis]) > 1.0:
                leave = -1.0
        else:
            first = (-1.0 - origin[axis]) / direction[axis]
            second = (1.0 - origin[axis]) / direction[axis]
            enter = wp.max(enter, wp.min(first, second))
            leave = wp.min(leave, wp.max(first, second))
    return wp.vec2(enter, leave)


@wp.kernel
def march_kernel(
    first: int,
    grid: wp.array3d(dtype=float),
    origins: wp.array(dtype=wp.vec3),
    directions: wp.array(dtype=wp.vec3),
    step_min: float,
    hits: wp.array(dtype=float),
    nearest: wp.array(dtype=float),
    smallest: wp.array(dtype=float),
):
    ray = first + wp.tid()
    origin = origins[ray]
    direction = directions[ray]
    span = crossings_of_cube(origin, direction)
    hit = wp.float32(wp.inf)
    place = wp.float32(wp.inf)
    lowest = wp.float32(wp.inf)
    at = span[0]
    before = span[0]
    previous = wp.float32(wp.inf)
    running = span[0] <= span[1]
    while running:
        value = trilinear(grid, origin + at * direction)
        if value < lowest:
            lowest = value
            place = at
        if hit == wp.inf and value <= 0.0:
            hit = at
            if previous < FAR:
                hit = before + previous / (previous - value) * (at - before)
        before = at
        previous = value
        running = at < span[1]
        at = wp.min(at + wp.max(SAFETY * wp.abs(value), step_min), span[1])
    hits[ray] = hit
    nearest[ray] = place
    smallest[ray] = lowest
