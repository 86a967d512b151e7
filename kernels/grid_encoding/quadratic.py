"""Interpolation by uniform quadratic B-splines, and its transpose: 27 control values, first derivatives without jumps.

The control values of cell i along an axis are i, i + 1, i + 2; those of the level lie half a cell off the vertices,
the outermost ones outside the domain.
"""

import warp as wp

from isopts.kernels.grid_encoding.cell import PRIME_Y, PRIME_Z, Interpolant, cell_of

vec6 = wp.types.vector(length=6, dtype=float)


@wp.func
def weights(f: float):
    return wp.vec3(0.5 * (1.0 - f) * (1.0 - f), 0.5 + f * (1.0 - f), 0.5 * f * f)


@wp.func
def slopes(f: float):
    """Derivatives of the weights; the second ones are 1, -2, 1."""
    return wp.vec3(f - 1.0, 1.0 - 2.0 * f, f)


@wp.func
def entries_of(vertex: wp.vec3i, j: int, k: int, level: wp.vec4i):
    """Table entries of the row of three control values at steps j, k along y, z."""
    if level[2] < 0:
        side = level[0] + 2
        low = level[1] + vertex[0] + side * (vertex[1] + j + side * (vertex[2] + k))
        return wp.vec3i(low, low + 1, low + 2)
    bits = wp.uint32(level[2])
    yz = wp.uint32(vertex[1] + j) * PRIME_Y ^ wp.uint32(vertex[2] + k) * PRIME_Z
    return wp.vec3i(
        level[1] + int((wp.uint32(vertex[0]) ^ yz) & bits),
        level[1] + int((wp.uint32(vertex[0] + 1) ^ yz) & bits),
        level[1] + int((wp.uint32(vertex[0] + 2) ^ yz) & bits),
    )


@wp.func
def row(table: wp.array(dtype=wp.vec2), at: wp.vec3i):
    a = table[at[0]]
    b = table[at[1]]
    c = table[at[2]]
    return vec6(a[0], a[1], b[0], b[1], c[0], c[1])


@wp.func
def along(edge: vec6, w: wp.vec3):
    return wp.vec2(w[0] * edge[0] + w[1] * edge[2] + w[2] * edge[4], w[0] * edge[1] + w[1] * edge[3] + w[2] * edge[5])


@wp.func
def bend(a: vec6, b: vec6, c: vec6):
    """Second derivative of a quadratic B-spline."""
    return a - 2.0 * b + c


@wp.func
def interpolate_quadratic(point: wp.vec3, level: wp.vec4i, table: wp.array(dtype=wp.vec2)):
    """Along y, then z, then x. Unused members cost nothing: the compiler removes them."""
    cell = cell_of(point, level[0])
    s = cell.slope
    w = weights(cell.fraction[1])
    d = slopes(cell.fraction[1])
    wz = weights(cell.fraction[2])
    dz = slopes(cell.fraction[2])
    value = vec6()
    y = vec6()
    z = vec6()
    yy = vec6()
    zz = vec6()
    yz = vec6()
    for k in range(3):
        a = row(table, entries_of(cell.vertex, 0, k, level))
        b = row(table, entries_of(cell.vertex, 1, k, level))
        c = row(table, entries_of(cell.vertex, 2, k, level))
        plane = w[0] * a + w[1] * b + w[2] * c
        plane_y = d[0] * a + d[1] * b + d[2] * c
        value += wz[k] * plane
        y += wz[k] * plane_y
        z += dz[k] * plane
        yy += wz[k] * bend(a, b, c)
        yz += dz[k] * plane_y
        zz += wp.where(k == 1, -2.0, 1.0) * plane
    wx = weights(cell.fraction[0])
    dx = slopes(cell.fraction[0])
    result = Interpolant()
    result.value = along(value, wx)
    result.dx = s[0] * along(value, dx)
    result.dy = s[1] * along(y, wx)
    result.dz = s[2] * along(z, wx)
    result.dxx = s[0] * s[0] * along(value, wp.vec3(1.0, -2.0, 1.0))
    result.dyy = s[1] * s[1] * along(yy, wx)
    result.dzz = s[2] * s[2] * along(zz, wx)
    result.dxy = s[0] * s[1] * along(y, dx)
    result.dxz = s[0] * s[2] * along(z, dx)
    result.dyz = s[1] * s[2] * along(yz, wx)
    return result


@wp.func
def spread(value: wp.vec2, w: wp.vec3):
    """Transpose of `along`."""
    return vec6(w[0] * value[0], w[0] * value[1], w[1] * value[0], w[1] * value[1], w[2] * value[0], w[2] * value[1])


@wp.func
def add_row(table: wp.array(dtype=wp.vec2), at: wp.vec3i, edge: vec6):
    wp.atomic_add(table, at[0], wp.vec2(edge[0], edge[1]))
    wp.atomic_add(table, at[1], wp.vec2(edge[2], edge[3]))
    wp.atomic_add(table, at[2], wp.vec2(edge[4], edge[5]))


@wp.func
def scatter_quadratic(
    point: wp.vec3,
    level: wp.vec4i,
    value: wp.vec2,
    dx: wp.vec2,
    dy: wp.vec2,
    dz: wp.vec2,
    table_gradient: wp.array(dtype=wp.vec2),
):
    """Transpose of `interpolate_quadratic`: add the gradients of value and first derivatives to the 27 entries."""
    cell = cell_of(point, level[0])
    s = cell.slope
    wx = weights(cell.fraction[0])
    whole = spread(value, wx) + spread(s[0] * dx, slopes(cell.fraction[0]))
    y = spread(s[1] * dy, wx)
    z = spread(s[2] * dz, wx)
    wy = weights(cell.fraction[1])
    sy = slopes(cell.fraction[1])
    wz = weights(cell.fraction[2])
    sz = slopes(cell.fraction[2])
    for j in range(3):
        line = wy[j] * whole + sy[j] * y
        line_z = wy[j] * z
        for k in range(3):
            add_row(table_gradient, entries_of(cell.vertex, j, k, level), wz[k] * line + sz[k] * line_z)
