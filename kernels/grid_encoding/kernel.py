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
def slope_along(coordinate: float, half: float):
    if coordinate >= -1.0 and coordinate <= 1.0:
        return half
    return 0.0


@wp.func
def cell_of(point: wp.vec3, resolution: int):
    half = 0.5 * float(resolution)
    x = (wp.clamp(point[0], -1.0, 1.0) + 1.0) * half
    y = (wp.clamp(point[1], -1.0, 1.0) + 1.0) * half
    z = (wp.clamp(point[2], -1.0, 1.0) + 1.0) * half
    cell = Cell()
    cell.vertex = wp.vec3i(
        wp.clamp(int(x), 0, resolution - 1), wp.clamp(int(y), 0, resolution - 1), wp.clamp(int(z), 0, resolution - 1)
    )
    cell.fraction = wp.vec3(x - float(cell.vertex[0]), y - float(cell.vertex[1]), z - float(cell.vertex[2]))
    cell.slope = wp.vec3(slope_along(point[0], half), slope_along(point[1], half), slope_along(point[2], half))
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
def interpolate(point: wp.vec3, level: wp.vec3i, table: wp.array(dtype=wp.vec2)):
    """Lerp along x, then y, then z. Unused members cost nothing: the compiler removes them."""
    cell = cell_of(point, level[0])
    at = corners_of(cell.vertex, level)
    f = cell.fraction
    s = cell.slope
    v000 = table[at.v000]
    v010 = table[at.v010]
    v001 = table[at.v001]
    v011 = table[at.v011]
    x00 = table[at.v100] - v000
    x10 = table[at.v110] - v010
    x01 = table[at.v101] - v001
    x11 = table[at.v111] - v011
    m00 = v000 + f[0] * x00
    m01 = v001 + f[0] * x01
    y0 = v010 + f[0] * x10 - m00
    y1 = v011 + f[0] * x11 - m01
    low = m00 + f[1] * y0
    z = m01 + f[1] * y1 - low
    x0 = x00 + f[1] * (x10 - x00)
    x1 = x01 + f[1] * (x11 - x01)
    result = Trilinear()
    result.value = low + f[2] * z
    result.dx = s[0] * (x0 + f[2] * (x1 - x0))
    result.dy = s[1] * (y0 + f[2] * (y1 - y0))
    result.dz = s[2] * z
    xy0 = x10 - x00
    result.dxy = s[0] * s[1] * (xy0 + f[2] * (x11 - x01 - xy0))
    result.dxz = s[0] * s[2] * (x1 - x0)
    result.dyz = s[1] * s[2] * (y1 - y0)
    return result


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
    gx = cell.slope[0] * dx
    gy = cell.slope[1] * dy
    gz = cell.slope[2] * dz
    # along z, then y, then x: the lerps of `interpolate` backwards
    high = f[2] * value + gz
    low = value - high
    gx1 = f[2] * gx
    gx0 = gx - gx1
    gy1 = f[2] * gy
    gy0 = gy - gy1
    m10 = f[1] * low + gy0
    m00 = low - m10
    m11 = f[1] * high + gy1
    m01 = high - m11
    x10 = f[1] * gx0
    x00 = gx0 - x10
    x11 = f[1] * gx1
    x01 = gx1 - x11
    v100 = f[0] * m00 + x00
    v110 = f[0] * m10 + x10
    v101 = f[0] * m01 + x01
    v111 = f[0] * m11 + x11
    wp.atomic_add(table_gradient, at.v000, m00 - v100)
    wp.atomic_add(table_gradient, at.v100, v100)
    wp.atomic_add(table_gradient, at.v010, m10 - v110)
    wp.atomic_add(table_gradient, at.v110, v110)
    wp.atomic_add(table_gradient, at.v001, m01 - v101)
    wp.atomic_add(table_gradient, at.v101, v101)
    wp.atomic_add(table_gradient, at.v011, m11 - v111)
    wp.atomic_add(table_gradient, at.v111, v111)


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
