"""Trilinear interpolation of a level and its transpose."""

import warp as wp

from isopts.kernels.grid_encoding.cell import PRIME_Y, PRIME_Z, Interpolant, cell_of


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
def corners_of(vertex: wp.vec3i, level: wp.vec4i):
    """Table entries of a cell's vertices. A hashed vertex is (x ^ 2654435761 y ^ 805459861 z) modulo the slots, 2^k."""
    offset = level[1]
    corners = Corners()
    if level[2] == 0:
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
        bits = wp.uint32(level[2] - 1)
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
def interpolate_linear(point: wp.vec3, level: wp.vec4i, table: wp.array(dtype=wp.vec2)):
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
    result = Interpolant()
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
def scatter_linear(
    point: wp.vec3,
    level: wp.vec4i,
    value: wp.vec2,
    dx: wp.vec2,
    dy: wp.vec2,
    dz: wp.vec2,
    table_gradient: wp.array(dtype=wp.vec2),
):
    """Transpose of `interpolate_linear`: add the gradients of value and first derivatives to the eight entries."""
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
