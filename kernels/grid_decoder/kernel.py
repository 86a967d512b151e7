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
mat264 = wp.types.matrix(shape=(2, UNITS), dtype=float)

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

_ACTIVATE = """
#pragma clang fp reassociate(on) contract(fast)
wp::mat_t<2, 64, wp::float32> result;
for (int j = 0; j < 64; ++j) {
    const float x = z.c[j];
    const float positive = x > 0.0f ? x : 0.0f;
    float a = x > 0.0f ? x : -x;
    a = (a < 0.3f ? a : 0.3f) * (-100.0f / 64.0f);
    float e = 1.0f + a * (1.0f + a * (0.5f + a * (1.0f / 6.0f + a * (1.0f / 24.0f + a * (1.0f / 120.0f)))));
    for (int i = 0; i < 6; ++i) e *= e;
    const float low = e / (1.0f + e);
    const float y = e / (2.0f + e);
    const float b = y * y;
    const float series = 1.0f + b * (1.0f / 3.0f + b * (1.0f / 5.0f + b * (1.0f / 7.0f + b * 0.1205f)));
    result.data[0][j] = positive + 0.02f * y * series;
    result.data[1][j] = x > 0.0f ? 1.0f - low : low;
}
return result;
"""

_ADD_TWO_OUTER = """
#pragma clang fp reassociate(on) contract(fast)
const float* x = rows.data + row * count;
const float* t = tangents.data + task * count;
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
    """Add row x units + the task's tangent row x tangent units to the task's sum of weight gradients."""
    ...


@wp.func_native(_ACTIVATE)
def activate(z: vec64) -> mat264:
    """log(1 + exp(100 z)) / 100 and its derivative 1 / (1 + exp(-100 z)), relative error 5e-6.

    exp(-100 |z|) is a fifth-order series at 1/64 of the exponent, squared six times: plain products keep all lanes
    busy where a call would take them one by one. Beyond 100 |z| = 30 it is constant: no float32 sum notices, and its
    products with adjoints do not become subnormal, which halves the speed. The logarithm is 2 artanh(e / (2 + e));
    the last coefficient of artanh's series is 1/9 plus what the terms left out amount to for e near 1.
    """
    ...


@wp.func
def write_position(rows: wp.array(dtype=float), start: int, position: wp.vec3, one: float):
    rows[start] = position[0]
    rows[start + 1] = position[1]
    rows[start + 2] = position[2]
    rows[start + 3] = one


@wp.kernel
def decode_kernel(
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
    """`jacobian`, `input_gradients` and `gradient` are empty for a value alone."""
    n = first + wp.tid()
    with_gradient = gradient.shape[0] > 0
    count = 4 + 2 * levels.shape[0]
    row = n * count
    point = points[n]
    write_position(inputs, row, point, 1.0)
    features = wp.vec2()
    for level in range(levels.shape[0]):
        if with_gradient:
            at = interpolate(point, levels[level], table)
            features = at.value
            jacobian[n, level] = mat23(at.dx[0], at.dy[0], at.dz[0], at.dx[1], at.dy[1], at.dz[1])
        else:  # a call of its own, from which the compiler removes the derivatives
            features = interpolate(point, levels[level], table).value
        inputs[row + 4 + 2 * level] = features[0]
        inputs[row + 5 + 2 * level] = features[1]
    units = activate(through_weights(inputs, n, count, weights))
    value[n] = dot(units[0], output[0]) + bias[0]
    if with_gradient:
        back_through_weights(wp.cw_mul(units[1], output[0]), weights, input_gradients, n, count)
        total = wp.vec3(input_gradients[row], input_gradients[row + 1], input_gradients[row + 2])
        for level in range(levels.shape[0]):
            at_level = wp.vec2(input_gradients[row + 4 + 2 * level], input_gradients[row + 5 + 2 * level])
            total += at_level @ jacobian[n, level]
        gradient[n] = total


@wp.kernel
def decode_backward_kernel(
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
    """Task = run of points with its own tangent row (zeros at first) and sums of the weights' gradients.

    With d the adjoint of the gradient, d . gradient = sum_j w_j sigmoid(z_j) (W t)_j, where the tangent t is the
    derivative of the input row along d. `jacobian` and `gradient_gradient` are empty for a value alone.
    """
    task = first + wp.tid()
    count = weights.shape[0] / 64
    out = output[0]
    output_sum = vec64()
    z_tangent = vec64()
    for n in range(task * run, wp.min(task * run + run, value_gradient.shape[0])):
        if gradient_gradient.shape[0] > 0:
            along = gradient_gradient[n]
            write_position(tangents, task * count, along, 0.0)
            for level in range(jacobian.shape[1]):
                tangent = jacobian[n, level] * along
                tangents[task * count + 4 + 2 * level] = tangent[0]
                tangents[task * count + 5 + 2 * level] = tangent[1]
            z_tangent = through_weights(tangents, task, count, weights)
        units = activate(through_weights(inputs, n, count, weights))
        slope = units[1]
        output_sum += units[0] * value_gradient[n] + wp.cw_mul(slope, z_tangent)
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
