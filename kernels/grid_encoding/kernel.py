"""Warp kernels of the encoding. A level is (resolution, offset, hash mask), mask -1 where the level is dense."""

import warp as wp

wp.set_module_options({"enable_backward": False})

PRIME_Y = wp.constant(wp.uint32(2654435761))
PRIME_Z = wp.constant(wp.uint32(805459861))
mat23 = wp.types.matrix(shape=(2, 3), dtype=float)


@wp.struct
class Cell:
    """The cell of a point: lowest vertex, position inside in [0, 1], and d position / d point (0 where clamped)."""

    vertex: wp.vec3i
    fraction: wp.vec3
    slope: wp.vec3


@wp.struct
class Corners:
    """Table entries of the eight vertices; digits are the steps along x, y, z."""

    v000: int
    v100: int
    v010: int
    v110: int
    v001: int
    v101: int
    v011: int
    v111: int


@wp.func
def inside(coordinate: float):
    return wp.where(wp.abs(coordinate) <= 1.0, 1.0, 0.0)


@wp.func
def cell_of(point: wp.vec3, resolution: int):
    """The integer bounds also keep a coordinate that is not a number within the table."""
    half = 0.5 * float(resolution)
    side = 2.0 * half
    x = wp.min(wp.max(point[0] * half + half, 0.0), side)
    y = wp.min(wp.max(point[1] * half + half, 0.0), side)
    z = wp.min(wp.max(point[2] * half + half, 0.0), side)
    last = resolution - 1
    i = wp.max(wp.min(int(x), last), 0)
    j = wp.max(wp.min(int(y), last), 0)
    k = wp.max(wp.min(int(z), last), 0)
    cell = Cell()
    cell.vertex = wp.vec3i(i, j, k)
    cell.fraction = wp.vec3(x - float(i), y - float(j), z - float(k))
    cell.slope = wp.vec3(half * inside(point[0]), half * inside(point[1]), half * inside(point[2]))
    return cell


@wp.func
def corners_of(vertex: wp.vec3i, level: wp.vec3i):
    """Table entries of a cell's vertices. A hashed vertex is (x ^ 2654435761 y ^ 805459861 z) & mask."""
    offset = level[1]
    mask = level[2]
    corners = Corners()
    if mask < 0:
        side = level[0] + 1
        low = offset + vertex[0] + side * (vertex[1] + side * vertex[2])
        corners.v000 = low
        corners.v100 = low + 1
        corners.v010 = low + side
        corners.v110 = low + side + 1
        low = low + side * side
        corners.v001 = low
        corners.v101 = low + 1
        corners.v011 = low + side
        corners.v111 = low + side + 1
    else:
        bits = wp.uint32(mask)
        x0 = wp.uint32(vertex[0])
        x1 = wp.uint32(vertex[0] + 1)
        y0 = wp.uint32(vertex[1]) * PRIME_Y
        y1 = y0 + PRIME_Y
        z0 = wp.uint32(vertex[2]) * PRIME_Z
        z1 = z0 + PRIME_Z
        corners.v000 = offset + int((x0 ^ y0 ^ z0) & bits)
        corners.v100 = offset + int((x1 ^ y0 ^ z0) & bits)
        corners.v010 = offset + int((x0 ^ y1 ^ z0) & bits)
        corners.v110 = offset + int((x1 ^ y1 ^ z0) & bits)
        corners.v001 = offset + int((x0 ^ y0 ^ z1) & bits)
        corners.v101 = offset + int((x1 ^ y0 ^ z1) & bits)
        corners.v011 = offset + int((x0 ^ y1 ^ z1) & bits)
        corners.v111 = offset + int((x1 ^ y1 ^ z1) & bits)
    return corners


@wp.struct
class Trilinear:
    """The interpolant at a point: value, first derivatives and mixed second ones, along the point's axes."""

    value: wp.vec2
    dx: wp.vec2
    dy: wp.vec2
    dz: wp.vec2
    dxy: wp.vec2
    dxz: wp.vec2
    dyz: wp.vec2


@wp.func
def row(table: wp.array(dtype=wp.vec2), low: int, high: int):
    """The two entries of an edge along x side by side, so that the lerps below fill four lanes."""
    a = table[low]
    b = table[high]
    return wp.vec4(a[0], a[1], b[0], b[1])


@wp.func
def along(edge: wp.vec4, fraction: float):
    return wp.vec2(edge[0] + fraction * (edge[2] - edge[0]), edge[1] + fraction * (edge[3] - edge[1]))


@wp.func
def rise(edge: wp.vec4):
    return wp.vec2(edge[2] - edge[0], edge[3] - edge[1])


@wp.func
def interpolate(point: wp.vec3, level: wp.vec3i, table: wp.array(dtype=wp.vec2)):
    """Lerp along y, then z, then x. Unused members cost nothing: the compiler removes them."""
    cell = cell_of(point, level[0])
    at = corners_of(cell.vertex, level)
    f = cell.fraction
    s = cell.slope
    low = row(table, at.v000, at.v100)
    high = row(table, at.v001, at.v101)
    y_low = row(table, at.v010, at.v110) - low
    y_high = row(table, at.v011, at.v111) - high
    yz = y_high - y_low
    low += f[1] * y_low
    z = high + f[1] * y_high - low
    value = low + f[2] * z
    y = y_low + f[2] * yz
    result = Trilinear()
    result.value = along(value, f[0])
    result.dx = s[0] * rise(value)
    result.dy = s[1] * along(y, f[0])
    result.dz = s[2] * along(z, f[0])
    result.dxy = s[0] * s[1] * rise(y)
    result.dxz = s[0] * s[2] * rise(z)
    result.dyz = s[1] * s[2] * along(yz, f[0])
    return result


@wp.func
def spread(value: wp.vec2, slope: wp.vec2, fraction: float):
    """Transpose of `along` and `rise`: gradients of an edge's two entries."""
    high = fraction * value + slope
    return wp.vec4(value[0] - high[0], value[1] - high[1], high[0], high[1])


@wp.func
def add_row(table: wp.array(dtype=wp.vec2), low: int, high: int, edge: wp.vec4):
    wp.atomic_add(table, low, wp.vec2(edge[0], edge[1]))
    wp.atomic_add(table, high, wp.vec2(edge[2], edge[3]))


@wp.func
def scatter(
    point: wp.vec3,
    level: wp.vec3i,
    value: wp.vec2,
    dx: wp.vec2,
    dy: wp.vec2,
    dz: wp.vec2,
    table_gradient: wp.array(dtype=wp.vec2),
):
    """Transpose of `interpolate`: add the gradients of the value and the first derivatives to the eight entries."""
    cell = cell_of(point, level[0])
    at = corners_of(cell.vertex, level)
    f = cell.fraction
    whole = spread(value, cell.slope[0] * dx, f[0])
    y = spread(cell.slope[1] * dy, wp.vec2(), f[0])
    high = f[2] * whole + spread(cell.slope[2] * dz, wp.vec2(), f[0])
    low = whole - high
    y_high = f[2] * y
    low_up = f[1] * low + y - y_high
    high_up = f[1] * high + y_high
    add_row(table_gradient, at.v000, at.v100, low - low_up)
    add_row(table_gradient, at.v010, at.v110, low_up)
    add_row(table_gradient, at.v001, at.v101, high - high_up)
    add_row(table_gradient, at.v011, at.v111, high_up)


@wp.kernel
def encode_kernel(
    first: int,
    points: wp.array(dtype=wp.vec3),
    table: wp.array(dtype=wp.vec2),
    levels: wp.array(dtype=wp.vec3i),
    features: wp.array2d(dtype=wp.vec2),
):
    n = first + wp.tid()
    point = points[n]
    for level in range(levels.shape[0]):
        features[n, level] = interpolate(point, levels[level], table).value


@wp.kernel
def encode_with_jacobian_kernel(
    first: int,
    points: wp.array(dtype=wp.vec3),
    table: wp.array(dtype=wp.vec2),
    levels: wp.array(dtype=wp.vec3i),
    features: wp.array2d(dtype=wp.vec2),
    jacobian: wp.array2d(dtype=mat23),
):
    n = first + wp.tid()
    point = points[n]
    for level in range(levels.shape[0]):
        at = interpolate(point, levels[level], table)
        features[n, level] = at.value
        jacobian[n, level] = mat23(at.dx[0], at.dy[0], at.dz[0], at.dx[1], at.dy[1], at.dz[1])


@wp.kernel
def table_gradient_kernel(
    first: int,
    points_per_task: int,
    points: wp.array(dtype=wp.vec3),
    levels: wp.array(dtype=wp.vec3i),
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
    levels: wp.array(dtype=wp.vec3i),
    feature_gradient: wp.array2d(dtype=wp.vec2),
    jacobian_gradient: wp.array2d(dtype=mat23),
    point_gradient: wp.array(dtype=wp.vec3),
):
    """Features through the Jacobian, the Jacobian through the cell's mixed second derivatives."""
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
                wp.dot(dy, at.dxy) + wp.dot(dz, at.dxz),
                wp.dot(dx, at.dxy) + wp.dot(dz, at.dyz),
                wp.dot(dx, at.dxz) + wp.dot(dy, at.dyz),
            )
    point_gradient[n] = total
