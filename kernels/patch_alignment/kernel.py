"""One surfel a thread: its patch of the reference view is looked for in each of its source views.

The plane carries the patch into the source as in patch_consistency, and a shift there is improved by Gauss-Newton
steps: least squares of a - mean(a) against g (b - mean(b)) + g G shift, with an unknown gain g. Greys are taken
relative to the first one of the patch, so that the sums lose no digits to the mean.
"""

import warp as wp

from isopts.kernels.patch_consistency.images import Images, Limits, Place, bilinear, holds, place_of
from isopts.kernels.patch_consistency.patch import (
    INVALID,
    PIXELS_MAX,
    SOURCE_CONTRAST_SHARE,
    ReferencePatch,
    plane_in,
    reference_patch,
)
from isopts.kernels.patch_consistency.plane import CarriedPatch, carried_patch

wp.set_module_options({"enable_backward": False})

SETTLED = 0.01  # pixels: steps shorter than this end the search
NOISE = 0.5  # greys of 255: least standard deviation, of rounding and of interpolation
_INVALID = wp.constant(INVALID)
_SOURCE_CONTRAST_SHARE = wp.constant(SOURCE_CONTRAST_SHARE)
_SETTLED = wp.constant(SETTLED)
_NOISE = wp.constant(NOISE)
_UNKNOWNS = wp.constant(4)  # of the least squares: gain, mean, shift


@wp.struct
class ShiftedSums:
    """Over a patch at a shift in a source view, a: weighted deviations of the reference, b: greys here relative to the
    first one. inside: all of it is in the image. slopes: derivatives of b along columns and rows, summed with the
    weights, with a, and with the weights times b. squares: their weighted products (column column, column row, row
    row)."""

    inside: wp.bool
    b: float
    bb: float
    ab: float
    slopes: wp.vec2
    slopes_a: wp.vec2
    slopes_b: wp.vec2
    squares: wp.vec3


@wp.struct
class Step:
    """usable: there is contrast, and more than an edge. score: NCC before the step. change: of the shift, pixels.
    covariance: of the shift, square pixels."""

    usable: wp.bool
    score: float
    change: wp.vec2
    covariance: wp.vec3


@wp.kernel
def align_kernel(
    first: int,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    references: wp.array(dtype=wp.int32),
    sources: wp.array2d(dtype=wp.int32),
    images: Images,
    limits: Limits,
    iterations: int,
    step_max: float,
    shifts: wp.array2d(dtype=wp.vec2),
    scores: wp.array2d(dtype=float),
    covariances: wp.array2d(dtype=wp.vec3),
):
    """shifts: where to begin, replaced by where the patches are. scores hold INVALID, covariances zeros."""
    i = first + wp.tid()
    view = references[i]
    if view < 0:
        return
    plane = plane_in(images, view, points[i], normals[i], limits.half_size)
    if not plane.usable:
        return
    deviations = wp.zeros(shape=(PIXELS_MAX,), dtype=float)
    weights = wp.zeros(shape=(PIXELS_MAX,), dtype=float)
    place = place_of(images, view)
    patch = reference_patch(images, place, plane, limits, float(_UNKNOWNS + 1), deviations, weights)
    if not patch.usable:
        return
    contrast = _SOURCE_CONTRAST_SHARE * limits.contrast
    for slot in range(sources.shape[1]):
        other = sources[i, slot]
        if other < 0:
            continue
        carried = carried_patch(plane, images.projections[other])
        place = place_of(images, other)
        shift = shifts[i, slot]
        step = Step()
        searching = bool(True)
        for turn in range(iterations + 1):
            if searching:
                sums = shifted_sums(images.greys, place, carried, shift, limits.half_size, deviations, weights)
                step = gauss_newton_step(patch, sums, contrast)
                length = wp.length(step.change)
                if turn == iterations and length > 0.5 * step_max:
                    step.usable = False  # still on its way
                searching = step.usable and turn < iterations and length > _SETTLED
                if searching:
                    shift += step.change * wp.min(1.0, step_max / length)
        if step.usable:
            shifts[i, slot] = shift
            scores[i, slot] = step.score
            covariances[i, slot] = step.covariance


@wp.func
def shifted_sums(
    greys: wp.array(dtype=wp.uint8),
    place: Place,
    carried: CarriedPatch,
    shift: wp.vec2,
    half_size: int,
    deviations: wp.array(dtype=float),
    weights: wp.array(dtype=float),
) -> ShiftedSums:
    sums = ShiftedSums()
    sums.inside = False
    side = 2 * half_size + 1
    pixel = int(0)
    base = float(0.0)
    for k in range(side):
        row = float(k - half_size)
        for m in range(side):
            column = float(m - half_size)
            h = carried.image + column * carried.image_column + row * carried.image_row
            inverse = 1.0 / h[2]
            u = h[0] * inverse + shift[0]
            v = h[1] * inverse + shift[1]
            # depth = h[2] / n.d, and n.d < 0
            if not (h[2] < 0.0 and holds(place, u, v)):
                return sums
            sample = bilinear(greys, place, u, v)
            if pixel == 0:
                base = sample[0]
            weight = weights[pixel]
            b = sample[0] - base
            rise = wp.vec2(sample[1], sample[2])
            sums.b += weight * b
            sums.bb += weight * b * b
            sums.ab += deviations[pixel] * b
            sums.slopes += weight * rise
            sums.slopes_a += deviations[pixel] * rise
            sums.slopes_b += (weight * b) * rise
            sums.squares += weight * wp.vec3(rise[0] * rise[0], rise[0] * rise[1], rise[1] * rise[1])
            pixel += 1
    sums.inside = True
    return sums


@wp.func
def gauss_newton_step(patch: ReferencePatch, sums: ShiftedSums, contrast: float) -> Step:
    """contrast: least standard deviation of the greys in the source."""
    step = Step()
    step.usable = False
    if not sums.inside:
        return step
    count = patch.weight_sum
    mean_b = sums.b / count
    variation_b = sums.bb - sums.b * mean_b
    if not (variation_b >= contrast * contrast * count):
        return step
    # without the part of the slopes along b and the mean
    g_b = sums.slopes_b - mean_b * sums.slopes
    uu = sums.squares[0] - sums.slopes[0] * sums.slopes[0] / count - g_b[0] * g_b[0] / variation_b
    uv = sums.squares[1] - sums.slopes[0] * sums.slopes[1] / count - g_b[0] * g_b[1] / variation_b
    vv = sums.squares[2] - sums.slopes[1] * sums.slopes[1] / count - g_b[1] * g_b[1] / variation_b
    determinant = uu * vv - uv * uv
    if not (determinant > 1.0e-6 * (uu + vv) * (uu + vv)):
        return step
    right = sums.slopes_a - (sums.ab / variation_b) * g_b
    scaled = wp.vec2((vv * right[0] - uv * right[1]) / determinant, (uu * right[1] - uv * right[0]) / determinant)
    gain = (sums.ab - wp.dot(g_b, scaled)) / variation_b
    if not (gain > 0.0):
        return step
    left = patch.variation - sums.ab * sums.ab / variation_b - wp.dot(right, scaled)
    noise = wp.max(left / (count - float(_UNKNOWNS)), _NOISE * _NOISE)
    step.usable = True
    step.score = sums.ab / wp.sqrt(patch.variation * variation_b)
    step.change = scaled / gain
    step.covariance = noise / (gain * gain * determinant) * wp.vec3(vv, -uv, uu)
    return step
