"""Warp kernel of the lazy Adam step."""

import warp as wp

wp.set_module_options({"enable_backward": False})

BLOCK = 64  # numbers an element looks at: long enough for full-width instructions, short enough to skip often

_STEP = """
#pragma clang fp reassociate(on) contract(fast)
float* g = gradient.data + begin;
int touched = 0;
for (int i = 0; i < count; ++i) touched |= g[i] != 0.0f;
if (!touched) return;
float* p = parameter.data + begin;
float* m = first_moment.data + begin;
float* v = second_moment.data + begin;
for (int i = 0; i < count; ++i) {
    const float first = beta1 * m[i] + (1.0f - beta1) * g[i];
    const float second = beta2 * v[i] + (1.0f - beta2) * g[i] * g[i];
    const float moved = p[i] - rate * first / (sqrtf(second) * root_correction + epsilon);
    m[i] = g[i] != 0.0f ? first : m[i];
    v[i] = g[i] != 0.0f ? second : v[i];
    p[i] = g[i] != 0.0f ? moved : p[i];
    g[i] = 0.0f;
}
"""


@wp.func_native(_STEP)
def step_block(
    parameter: wp.array(dtype=float),
    gradient: wp.array(dtype=float),
    first_moment: wp.array(dtype=float),
    second_moment: wp.array(dtype=float),
    rate: float,
    beta1: float,
    beta2: float,
    root_correction: float,
    epsilon: float,
    begin: int,
    count: int,
): ...


@wp.kernel
def lazy_adam_kernel(
    first: int,
    parameter: wp.array(dtype=float),
    gradient: wp.array(dtype=float),
    first_moment: wp.array(dtype=float),
    second_moment: wp.array(dtype=float),
    rate: float,
    beta1: float,
    beta2: float,
    root_correction: float,
    epsilon: float,
):
    """Element = BLOCK consecutive numbers. rate and root_correction contain the bias corrections of the moments."""
    begin = (first + wp.tid()) * BLOCK
    count = wp.min(BLOCK, parameter.shape[0] - begin)
    step_block(
        parameter,
        gradient,
        first_moment,
        second_moment,
        rate,
        beta1,
        beta2,
        root_correction,
        epsilon,
        begin,
        count,
    )
