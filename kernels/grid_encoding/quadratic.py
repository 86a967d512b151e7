"""Interpolation by uniform quadratic B-splines, and its transpose: 27 control values, first derivatives without jumps.

The control values of cell i along an axis are i, i + 1, i + 2; those of the level lie half a cell off the vertices,
the outermost ones outside the domain. The three along x lie side by side in the table, hashed levels included, so that
one full-width instruction takes their six features; reading takes a fourth value, too, with the weight 0.
"""

import warp as wp

from isopts.kernels.grid_encoding.cell import PRIME_Y, PRIME_Z, Interpolant, cell_of

vec8 = wp.types.vector(length=8, dtype=float)
vec9i = wp.types.vector(length=9, dtype=int)

_COMBINE = """
#pragma clang fp reassociate(on) contract(fast)
const float* t[9];
for (int row = 0; row < 9; ++row) t[row] = (const float*)(table.data + rows.c[row]);
const float y0 = y[0], y1 = y[1], y2 = y[2], z0 = z[0], z1 = z[1], z2 = z[2];
float sum[8];
for (int c = 0; c < 8; ++c)
    sum[c] = z0 * (y0 * t[0][c] + y1 * t[1][c] + y2 * t[2][c]) + z1 * (y0 * t[3][c] + y1 * t[4][c] + y2 * t[5][c])
        + z2 * (y0 * t[6][c] + y1 * t[7][c] + y2 * t[8][c]);
wp::vec_t<8, wp::float32> result;
for (int c = 0; c < 8; ++c) result.c[c] = sum[c];
return result;
"""

_FOLD = """
#pragma clang fp reassociate(on) contract(fast)
float p[8];
for (int c = 0; c < 8; ++c) p[c] = row.c[c] * w.c[c];
float q[4];
for (int c = 0; c < 4; ++c) q[c] = p[c] + p[c + 4];
return wp::vec_t<2, wp::float32>(q[0] + q[2], q[1] + q[3]);
"""

_ADD_ROWS = """
#pragma clang fp reassociate(on) contract(fast)
float updates[9][8];
for (int c = 0; c < 8; ++c)
    for (int j = 0; j < 3; ++j) {
        const float flat = wy[j] * whole.c[c] + sy[j] * y.c[c];
        const float up = wy[j] * z.c[c];
        for (int k = 0; k < 3; ++k) updates[3 * k + j][c] = wz[k] * flat + sz[k] * up;
    }
for (int row = 0; row < 9; ++row) {
    float* t = (float*)(table.data + rows.c[row]);
    for (int c = 0; c < 6; ++c) wp::atomic_add(t + c, updates[row][c]);
}
"""


@wp.func_native(_COMBINE)
def combine(table: wp.array(dtype=wp.vec2), rows: vec9i, y: wp.vec3, z: wp.vec3) -> vec8:
    """Sum of the nine rows, weighted by y[j] z[k].

    The loop over the eight numbers of a row is the outer one: LLVM turns it into one instruction a term. Calls with
    the same rows share loads and partial sums once they are inlined.
    """
    ...


@wp.func_native(_FOLD)
def along(row: vec8, w: vec8) -> wp.vec2:
    """Sum of a row's values, weighted."""
    ...


@wp.func_native(_ADD_ROWS)
def add_rows(
    table: wp.array(dtype=wp.vec2),
    rows: vec9i,
    whole: vec8,
    y: vec8,
    z: vec8,
    wy: wp.vec3,
    sy: wp.vec3,
    wz: wp.vec3,
    sz: wp.vec3,
):
    """Transpose of three `combine`s: by the weights of y and z, by slopes of y, by slopes of z. Rows may coincide."""
    ...


@wp.func
def weights(f: float):
    return wp.vec3(0.5 * (1.0 - f) * (1.0 - f), 0.5 + f * (1.0 - f), 0.5 * f * f)


@wp.func
def slopes(f: float):
    """Derivatives of the weights; the second ones are 1, -2, 1."""
    return wp.vec3(f - 1.0, 1.0 - 2.0 * f, f)


@wp.func
def pairs(w: wp.vec3):
    """The weight of each number in a row."""
    return vec8(w[0], w[0], w[1], w[1], w[2], w[2], 0.0, 0.0)


@wp.func
def spread(value: wp.vec2, w: wp.vec3):
    """Transpose of `along`."""
    a = value[0]
    b = value[1]
    return wp.cw_mul(vec8(a, b, a, b, a, b, a, b), pairs(w))


@wp.func
def rows_of(vertex: wp.vec3i, level: wp.vec4i):
    """Table entries at which the nine rows start; row j + 3 k is j steps along y and k along z.

    A hashed row starts at the upper word of (2654435761 y ^ 805459861 z) times the number of slots: rows overlap at
    any distance, so that a face across x does not put all its rows on the same entries.
    """
    side = level[0] + 2
    low = level[1] + vertex[0]
    rows = vec9i()
    if level[2] == 0:
        low += side * (vertex[1] + side * vertex[2])
        for k in range(3):
            for j in range(3):
                rows[3 * k + j] = low + side * (j + side * k)
    else:
        slots = wp.uint64(level[2])
        for k in range(3):
            for j in range(3):
                hash = wp.uint32(vertex[1] + j) * PRIME_Y ^ wp.uint32(vertex[2] + k) * PRIME_Z
                rows[3 * k + j] = low + int((wp.uint64(hash) * slots) >> wp.uint64(32))
    return rows


@wp.func
def interpolate_quadratic(point: wp.vec3, level: wp.vec4i, table: wp.array(dtype=wp.vec2)):
    """Along y and z, then x. Unused members cost nothing: the compiler removes them."""
    cell = cell_of(point, level[0])
    rows = rows_of(cell.vertex, level)
    s = cell.slope
    wy = weights(cell.fraction[1])
    sy = slopes(cell.fraction[1])
    wz = weights(cell.fraction[2])
    sz = slopes(cell.fraction[2])
    bend = wp.vec3(1.0, -2.0, 1.0)
    value = combine(table, rows, wy, wz)
    y = combine(table, rows, sy, wz)
    z = combine(table, rows, wy, sz)
    wx = pairs(weights(cell.fraction[0]))
    sx = pairs(slopes(cell.fraction[0]))
    result = Interpolant()
    result.value = along(value, wx)
    result.dx = s[0] * along(value, sx)
    result.dy = s[1] * along(y, wx)
    result.dz = s[2] * along(z, wx)
    result.dxx = s[0] * s[0] * along(value, pairs(bend))
    result.dyy = s[1] * s[1] * along(combine(table, rows, bend, wz), wx)
    result.dzz = s[2] * s[2] * along(combine(table, rows, wy, bend), wx)
    result.dxy = s[0] * s[1] * along(y, sx)
    result.dxz = s[0] * s[2] * along(z, sx)
    result.dyz = s[1] * s[2] * along(combine(table, rows, sy, sz), wx)
    return result


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
    add_rows(
        table_gradient,
        rows_of(cell.vertex, level),
        spread(value, wx) + spread(s[0] * dx, slopes(cell.fraction[0])),
        spread(s[1] * dy, wx),
        spread(s[2] * dz, wx),
        weights(cell.fraction[1]),
        slopes(cell.fraction[1]),
        weights(cell.fraction[2]),
        slopes(cell.fraction[2]),
    )
