"""One surfel a thread: its patch of the reference view is looked for in each of its source views.

The plane carries the patch into the source as in patch_consistency, and a shift there is improved by Gauss-Newton
steps: least squares of a - mean(a) against g (b - mean(b)) + g G shift, with an unknown gain g. Greys are taken
relative to the first one of the patch, so that the sums lose no digits to the mean.
"""

import warp as wp

from isopts.kernels.patch_consistency.kernel import HALF_SIZE_MAX, INVALID, SOURCE_CONTRAST_SHARE
from isopts.kernels.patch_consistency.patch import bilinear, reference_patch
from isopts.kernels.patch_consistency.plane import carried_patch, mat34, surfel_plane

wp.set_module_options({"enable_backward": False})

SETTLED = 0.01  # pixels: steps shorter than this end the search
NOISE = 0.5  # greys of 255: least standard deviation, of rounding and of interpolation
_PIXELS_MAX = wp.constant((2 * HALF_SIZE_MAX + 1) ** 2)
_INVALID = wp.constant(INVALID)
_SOURCE_CONTRAST_SHARE = wp.constant(SOURCE_CONTRAST_SHARE)
_SETTLED = wp.constant(SETTLED)
_NOISE = wp.constant(NOISE)
_UNKNOWNS = wp.constant(4)  # of the least squares: gain, mean, shift


@wp.kernel
def align_kernel(
    first: int,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    references: wp.array(dtype=wp.int32),
    sources: wp.array2d(dtype=wp.int32),
    greys: wp.array(dtype=wp.uint8),
    masks: wp.array(dtype=wp.uint8),
    starts: wp.array(dtype=wp.int64),
    sizes: wp.array(dtype=wp.vec2i),
    projections: wp.array(dtype=mat34),
    backprojections: wp.array(dtype=wp.mat33),
    centers: wp.array(dtype=wp.vec3),
    half_size: int,
    contrast_min: float,
    cosine_min: float,
    mask_share_min: float,
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
    size = sizes[view]
    plane = surfel_plane(
        points[i], normals[i], centers[view], projections[view], backprojections[view], size, half_size
    )
    if not plane.usable:
        return

    greys_here = wp.zeros(shape=(_PIXELS_MAX,), dtype=float)
    weights = wp.zeros(shape=(_PIXELS_MAX,), dtype=float)
    side = 2 * half_size + 1
    weight_min = wp.max(mask_share_min * float(side * side), float(_UNKNOWNS + 1))
    contrast = 255.0 * contrast_min
    patch = reference_patch(
        greys, masks, starts[view], size[0], plane, half_size, cosine_min, weight_min, contrast, greys_here, weights
    )
    if not patch.usable:
        return
    weight_sum = patch.weight_sum
    variation_a = patch.variation
    contrast = _SOURCE_CONTRAST_SHARE * contrast

    for slot in range(sources.shape[1]):
        other = sources[i, slot]
        if other < 0:
            continue
        width = sizes[other][0]
        last_column = float(width - 1)
        last_row = float(sizes[other][1] - 1)
        start = starts[other]
        carried = carried_patch(plane, projections[other])
        shift = shifts[i, slot]
        score = float(_INVALID)
        covariance = wp.vec3()
        searching = bool(True)
        for turn in range(iterations + 1):
            if searching:
                inside = bool(True)
                pixel = int(0)
                base = float(0.0)
                sum_b = float(0.0)
                sum_bb = float(0.0)
                sum_ab = float(0.0)
                slopes = wp.vec2()
                slopes_a = wp.vec2()
                slopes_b = wp.vec2()
                squares = wp.vec3()
                for k in range(side):
                    row = float(k - half_size)
                    for m in range(side):
                        column = float(m - half_size)
                        h = carried.image + column * carried.image_column + row * carried.image_row
                        inverse = 1.0 / h[2]
                        u = h[0] * inverse + shift[0]
                        v = h[1] * inverse + shift[1]
                        # depth = h[2] / n.d, and n.d < 0
                        if not (h[2] < 0.0 and u >= 0.0 and v >= 0.0 and u < last_column and v < last_row):
                            inside = False
                            break
                        sample = bilinear(greys, start, width, u, v)
                        if pixel == 0:
                            base = sample[0]
                        weight = weights[pixel]
                        b = sample[0] - base
                        rise = wp.vec2(sample[1], sample[2])
                        sum_b += weight * b
                        sum_bb += weight * b * b
                        sum_ab += greys_here[pixel] * b
                        slopes += weight * rise
                        slopes_a += greys_here[pixel] * rise
                        slopes_b += (weight * b) * rise
                        squares += weight * wp.vec3(rise[0] * rise[0], rise[0] * rise[1], rise[1] * rise[1])
                        pixel += 1
                    if not inside:
                        break
                score = float(_INVALID)
                searching = False
                if inside:
                    mean_b = sum_b / weight_sum
                    variation_b = sum_bb - sum_b * mean_b
                    if variation_b >= contrast * contrast * weight_sum:
                        # without the part of the slopes along b and the mean
                        g_b = slopes_b - mean_b * slopes
                        uu = squares[0] - slopes[0] * slopes[0] / weight_sum - g_b[0] * g_b[0] / variation_b
                        uv = squares[1] - slopes[0] * slopes[1] / weight_sum - g_b[0] * g_b[1] / variation_b
                        vv = squares[2] - slopes[1] * slopes[1] / weight_sum - g_b[1] * g_b[1] / variation_b
                        determinant = uu * vv - uv * uv
                        right = slopes_a - (sum_ab / variation_b) * g_b
                        if determinant > 1.0e-6 * (uu + vv) * (uu + vv):
                            scaled = wp.vec2(
                                (vv * right[0] - uv * right[1]) / determinant,
                                (uu * right[1] - uv * right[0]) / determinant,
                            )
                            gain = (sum_ab - wp.dot(g_b, scaled)) / variation_b
                            left = variation_a - sum_ab * sum_ab / variation_b - wp.dot(right, scaled)
                            if gain > 0.0:
                                score = sum_ab / wp.sqrt(variation_a * variation_b)
                                noise = wp.max(left / (weight_sum - float(_UNKNOWNS)), _NOISE * _NOISE)
                                noise = noise / (gain * gain * determinant)
                                covariance = noise * wp.vec3(vv, -uv, uu)
                                change = scaled / gain
                                length = wp.length(change)
                                if turn == iterations and length > 0.5 * step_max:
                                    score = float(_INVALID)  # still on its way
                                if turn < iterations and length > _SETTLED:
                                    shift += change * wp.min(1.0, step_max / length)
                                    searching = True
        if score > _INVALID:
            shifts[i, slot] = shift
            scores[i, slot] = score
            covariances[i, slot] = covariance
