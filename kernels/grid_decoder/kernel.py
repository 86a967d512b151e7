"""Warp kernels of the decoder. Lanes are the 64 hidden units; an input row is (x, y, z, 1, features).

Why 64 and why native snippets: LLVM turns operations on a vector of 64 floats into full-width instructions, and the
three products below, which Warp would write as chains of dependent scalars or with every intermediate in memory,
into registers. The pragma lets it reorder sums; the order is then fixed by the binary, not by the threads.
"""

import warp as wp

from isopts.kernels.grid_encoding.kernel import interpolate, mat23, scatter

wp.set_module_options({"enable_backward": False})

UNITS = 64
vec64 = wp.types.vector(length=UNITS, dtype=float)

_AFFINE = """
#pragma clang fp reassociate(on) contract(fast)
wp::vec_t<64, wp::float32> sum;
for (int j = 0; j < 64; ++j) sum.c[j] = 0.0f;
const float* x = rows.data + row * count;
const float* w = weights.data;
for (int i = 0; i < count; i += 2, w += 128)
    for (int j = 0; j < 64; ++j) sum.c[j] += x[i] * w[j] + x[i + 1] * w[64 + j];
return sum;
"""

_TRANSPOSED = """
#pragma clang fp reassociate(on) contract(fast)
float* y = rows.data + row * count;
const float* w = weights.data;
for (int i = 0; i < count; ++i, w += 64) {
    float sum = 0.0f;
    for (int j = 0; j < 64; ++j) sum += w[j] * units.c[j];
    y[i] = sum;
}
"""

_DOT = """
#pragma clang fp reassociate(on) contract(fast)
float sum = 0.0f;
for (int j = 0; j < 64; ++j) sum += a.c[j] * b.c[j];
return sum;
"""

_ADD_OUTER = """
#pragma clang fp reassociate(on) contract(fast)
const float* x = rows.data + row * count;
float* w = weights.data + task * count * 64;
for (int i = 0; i < count; ++i, w += 64)
    for (int j = 0; j < 64; ++j) w[j] += x[i] * units.c[j];
"""

_ADD_TWO_OUTER = """
#pragma clang fp reassociate(on) contract(fast)
const float* x = rows.data + row * count;
const float* t = tangents.data + row * count;
float* w = weights.data + task * count * 64;
for (int i = 0; i < count; ++i, w += 64)
    for (int j = 0; j < 64; ++j) w[j] += x[i] * units.c[j] + t[i] * tangent_units.c[j];
"""


@wp.func_native(_AFFINE)
def through_weights(rows: wp.array(dtype=float), row: int, count: int, weights: wp.array(dtype=float)) -> vec64:
    """Row of inputs times weights (count, 64); count is even."""
    ...


@wp.func_native(_TRANSPOSED)
def back_through_weights(
    units: vec64, weights: wp.array(dtype=float), rows: wp.array(dtype=float), row: int, count: int
):
    """Write weights (count, 64) times units into a row."""
    ...


@wp.func_native(_DOT)
def dot(a: vec64, b: vec64) -> float: ...


@wp.func_native(_ADD_OUTER)
def add_outer(
    rows: wp.array(dtype=float), units: vec64, row: int, count: int, weights: wp.array(dtype=float), task: int
):
    """Add row x units to the task's own sum of weight gradients."""
    ...


@wp.func_native(_ADD_TWO_OUTER)
def add_two_outer(
    rows: wp.array(dtype=float),
    units: vec64,
    tangents: wp.array(dtype=float),
    tangent_units: vec64,
    row: int,
    count: int,
    weights: wp.array(dtype=float),
    task: int,
):
    """Add row x units + tangent row x tangent units to the task's own sum of weight gradients."""
    ...


@wp.func
def decay(z: vec64):
    """exp(-100 |z|), relative error 5e-6: a fifth-order series at 1/64 of the exponent, squared six times.

    Plain products keep all lanes busy where a call to exp would take them one by one. Beyond 100 |z| = 30 it is
    constant: no float32 sum notices, and its products with adjoints do not become subnormal, which halves the speed.
    """
    a = wp.min(wp.abs(z), vec64(0.3)) * (-100.0 / 64.0)
    e = vec64(1.0 / 24.0) + a * (1.0 / 120.0)
    e = vec64(1.0 / 6.0) + wp.cw_mul(a, e)
    e = vec64(0.5) + wp.cw_mul(a, e)
    e = vec64(1.0) + wp.cw_mul(a, e)
    e = vec64(1.0) + wp.cw_mul(a, e)
    for _ in range(wp.static(6)):
        e = wp.cw_mul(e, e)
    return e


@wp.func
def softplus(z: vec64, e: vec64):
    """log(1 + exp(100 z)) / 100 from e = decay(z): max(z, 0) + 2 artanh(e / (2 + e)) / 100.

    The last coefficient of artanh's series is 1/9 plus what the terms left out amount to for e near 1.
    """
    y = wp.cw_div(e, e + vec64(2.0))
    b = wp.cw_mul(y, y)
    series = vec64(1.0 / 7.0) + b * 0.1205
    series = vec64(1.0 / 5.0) + wp.cw_mul(b, series)
    series = vec64(1.0 / 3.0) + wp.cw_mul(b, series)
    series = vec64(1.0) + wp.cw_mul(b, series)
    return wp.max(z, vec64(0.0)) + wp.cw_mul(y, series) * 0.02


@wp.func
def sigmoid(z: vec64, e: vec64):
    """1 / (1 + exp(-100 z)) from e = decay(z)."""
    low = wp.cw_div(e, e + vec64(1.0))
    positive = wp.min(wp.max(z * 1.0e30, vec64(0.0)), vec64(1.0))  # 1 where z > 0, without a branch
    return low + wp.cw_mul(positive, vec64(1.0) - low * 2.0)


@wp.func
def write_position(inputs: wp.array(dtype=float), first: int, point: wp.vec3):
    inputs[first] = point[0]
    inputs[first + 1] = point[1]
    inputs[first + 2] = point[2]
    inputs[first + 3] = 1.0


@wp.kernel
def value_kernel(
    first: int,
    points: wp.array(dtype=wp.vec3),
    table: wp.array(dtype=wp.vec2),
    levels: wp.array(dtype=wp.vec4i),
    weights: wp.array(dtype=float),
    output: wp.array(dtype=vec64),
    bias: wp.array(dtype=float),
    inputs: wp.array(dtype=float),
    value: wp.array(dtype=float),
):
    n = first + wp.tid()
    count = 4 + 2 * levels.shape[0]
    point = points[n]
    write_position(inputs, n * count, point)
    for level in range(levels.shape[0]):
        at = interpolate(point, levels[level], table)
        inputs[n * count + 4 + 2 * level] = at.value[0]
        inputs[n * count + 5 + 2 * level] = at.value[1]
    z = through_weights(inputs, n, count, weights)
    value[n] = dot(softplus(z, decay(z)), output[0]) + bias[0]


@wp.kernel
def value_and_gradient_kernel(
    first: int,
    points: wp.array(dtype=wp.vec3),
    table: wp.array(dtype=wp.vec2),
    levels: wp.array(dtype=wp.vec4i),
    weights: wp.array(dtype=float),
    output: wp.array(dtype=vec64),
    bias: wp.array(dtype=float),
    inputs: wp.array(dtype=float),
    jacobian: wp.array2d(dtype=mat23),
    input_gradients: wp.array(dtype=float),
    value: wp.array(dtype=float),
    gradient: wp.array(dtype=wp.vec3),
):
    n = first + wp.tid()
    count = 4 + 2 * levels.shape[0]
    point = points[n]
    write_position(inputs, n * count, point)
    for level in range(levels.shape[0]):
        at = interpolate(point, levels[level], table)
        inputs[n * count + 4 + 2 * level] = at.value[0]
        inputs[n * count + 5 + 2 * level] = at.value[1]
        jacobian[n, level] = mat23(at.dx[0], at.dy[0], at.dz[0], at.dx[1], at.dy[1], at.dz[1])
    z = through_weights(inputs, n, count, weights)
    e = decay(z)
    value[n] = dot(softplus(z, e), output[0]) + bias[0]
    back_through_weights(wp.cw_mul(sigmoid(z, e), output[0]), weights, input_gradients, n, count)
    row = n * count
    total = wp.vec3(input_gradients[row], input_gradients[row + 1], input_gradients[row + 2])
    for level in range(levels.shape[0]):
        at_level = wp.vec2(input_gradients[row + 4 + 2 * level], input_gradients[row + 5 + 2 * level])
        total += at_level @ jacobian[n, level]
    gradient[n] = total


@wp.kernel
def value_backward_kernel(
    first: int,
    run: int,
    inputs: wp.array(dtype=float),
    weights: wp.array(dtype=float),
    output: wp.array(dtype=vec64),
    value_gradient: wp.array(dtype=float),
    input_adjoints: wp.array(dtype=float),
    weight_sums: wp.array(dtype=float),
    output_sums: wp.array(dtype=vec64),
):
    """Task = run of points with its own sums of the weights' gradients."""
    task = first + wp.tid()
    count = weights.shape[0] / 64
    out = output[0]
    output_sum = vec64()
    for n in range(task * run, wp.min(task * run + run, value_gradient.shape[0])):
        z = through_weights(inputs, n, count, weights)
        e = decay(z)
        output_sum += softplus(z, e) * value_gradient[n]
        z_adjoint = wp.cw_mul(sigmoid(z, e), out) * value_gradient[n]
        add_outer(inputs, z_adjoint, n, count, weight_sums, task)
        back_through_weights(z_adjoint, weights, input_adjoints, n, count)
    output_sums[task] = output_sum


@wp.kernel
def value_and_gradient_backward_kernel(
    first: int,
    run: int,
    inputs: wp.array(dtype=float),
    jacobian: wp.array2d(dtype=mat23),
    weights: wp.array(dtype=float),
    output: wp.array(dtype=vec64),
    value_gradient: wp.array(dtype=float),
    gradient_gradient: wp.array(dtype=wp.vec3),
    tangents: wp.array(dtype=float),
    input_adjoints: wp.array(dtype=float),
    weight_sums: wp.array(dtype=float),
    output_sums: wp.array(dtype=vec64),
):
    """Task = run of points with its own sums of the weights' gradients.

    With d the adjoint of the gradient, d . gradient = sum_j w_j sigmoid(z_j) (W t)_j, where the tangent t is the
    derivative of the input row along d.
    """
    task = first + wp.tid()
    count = weights.shape[0] / 64
    out = output[0]
    output_sum = vec64()
    for n in range(task * run, wp.min(task * run + run, value_gradient.shape[0])):
        along = gradient_gradient[n]
        write_position(tangents, n * count, along)
        tangents[n * count + 3] = 0.0
        for level in range(jacobian.shape[1]):
            tangent = jacobian[n, level] * along
            tangents[n * count + 4 + 2 * level] = tangent[0]
            tangents[n * count + 5 + 2 * level] = tangent[1]
        z = through_weights(inputs, n, count, weights)
        e = decay(z)
        slope = sigmoid(z, e)
        z_tangent = through_weights(tangents, n, count, weights)
        output_sum += softplus(z, e) * value_gradient[n] + wp.cw_mul(slope, z_tangent)
        curvature = wp.cw_mul(slope, vec64(1.0) - slope) * 100.0
        z_adjoint = wp.cw_mul(out, slope * value_gradient[n] + wp.cw_mul(curvature, z_tangent))
        add_two_outer(inputs, z_adjoint, tangents, wp.cw_mul(out, slope), n, count, weight_sums, task)
        back_through_weights(z_adjoint, weights, input_adjoints, n, count)
    output_sums[task] = output_sum


@wp.kernel
def table_gradient_kernel(
    first: int,
    points_per_task: int,
    points: wp.array(dtype=wp.vec3),
    levels: wp.array(dtype=wp.vec4i),
    input_adjoints: wp.array(dtype=float),
    input_gradients: wp.array(dtype=float),
    gradient_gradient: wp.array(dtype=wp.vec3),
    table_gradient: wp.array(dtype=wp.vec2),
):
    """Task = (level, run of points), the finest level first. `gradient_gradient` is empty for a value alone."""
    task = first + wp.tid()
    total = points.shape[0]
    count = 4 + 2 * levels.shape[0]
    tasks_per_level = (total + points_per_task - 1) // points_per_task
    level = levels.shape[0] - 1 - task // tasks_per_level
    begin = (task % tasks_per_level) * points_per_task
    along = wp.vec3()
    g = wp.vec2()
    for n in range(begin, wp.min(begin + points_per_task, total)):
        at = n * count + 4 + 2 * level
        if gradient_gradient.shape[0] > 0:
            along = gradient_gradient[n]
            g = wp.vec2(input_gradients[at], input_gradients[at + 1])
        adjoint = wp.vec2(input_adjoints[at], input_adjoints[at + 1])
        scatter(points[n], levels[level], adjoint, along[0] * g, along[1] * g, along[2] * g, table_gradient)
