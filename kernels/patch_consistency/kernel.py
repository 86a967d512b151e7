"""One surfel a thread: its patch in the reference view against all of its source views.

The sums of the correlation and of its derivatives are taken in the same pass, of greys
relative to the first one of the patch, so that they lose no digits to the mean.
"""

import warp as wp

from isopts.kernels.patch_consistency.patch import bilinear, reference_patch
from isopts.kernels.patch_consistency.plane import carried_patch, mat34, surfel_plane

wp.set_module_options({"enable_backward": False})

HALF_SIZE_MAX = 5
INVALID = -2.0
SOURCE_CONTRAST_SHARE = 0.3  # of contrast_min: a source view may be darker than the reference, not blank
_PIXELS_MAX = wp.constant((2 * HALF_SIZE_MAX + 1) ** 2)
_INVALID = wp.constant(INVALID)
_SOURCE_CONTRAST_SHARE = wp.constant(SOURCE_CONTRAST_SHARE)


@wp.kernel
def patch_kernel(
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
    scores: wp.array2d(dtype=float),
    derivatives: wp.array2d(dtype=wp.vec4),
):
    """`derivatives` (along the normal, then with respect to the normal) holds zeros, or is empty: not wanted."""
    i = first + wp.tid()
    for slot in range(sources.shape[1]):
        scores[i, slot] = _INVALID
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
    weight_min = wp.max(mask_share_min * float(side * side), 1.0)
    contrast = 255.0 * contrast_min
    patch = reference_patch(
        greys, masks, starts[view], size[0], plane, half_size, cosine_min, weight_min, contrast, greys_here, weights
    )
    if not patch.usable:
        return
    weight_sum = patch.weight_sum
    variation_a = patch.variation
    norm_a = wp.sqrt(variation_a)
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
        inside = bool(True)
        pixel = int(0)
        base = float(0.0)
        sum_b = float(0.0)
        sum_bb = float(0.0)
        sum_ab = float(0.0)
        slopes = wp.vec4()
        slopes_a = wp.vec4()
        slopes_b = wp.vec4()
        for k in range(side):
            row = float(k - half_size)
            for m in range(side):
                column = float(m - half_size)
                h = carried.image + column * carried.image_column + row * carried.image_row
                inverse = 1.0 / h[2]
                u = h[0] * inverse
                v = h[1] * inverse
                # depth = h[2] / n.d, and n.d < 0
                if not (h[2] < 0.0 and u >= 0.0 and v >= 0.0 and u < last_column and v < last_row):
                    inside = False
                    break
                sample = bilinear(greys, start, width, u, v)
                if pixel == 0:
                    base = sample[0]
                weight = weights[pixel]
                a = greys_here[pixel]
                b = sample[0] - base
                sum_b += weight * b
                sum_bb += weight * b * b
                sum_ab += a * b
                if derivatives.shape[0] > 0:
                    motion = carried.step + column * carried.step_column + row * carried.step_row
                    change = (
                        sample[1] * (motion[0] - u * motion[2]) + sample[2] * (motion[1] - v * motion[2])
                    ) * inverse
                    t = plane.height / (plane.along + column * plane.along_column + row * plane.along_row)
                    s = change * wp.vec4(1.0, t, t * column, t * row)
                    slopes += weight * s
                    slopes_a += a * s
                    slopes_b += (weight * b) * s
                pixel += 1
            if not inside:
                break
        if inside:
            mean_b = sum_b / weight_sum
            variation_b = sum_bb - sum_b * mean_b
            if variation_b >= contrast * contrast * weight_sum:
                norm_b = wp.sqrt(variation_b)
                score = sum_ab / (norm_a * norm_b)
                scores[i, slot] = score
                if derivatives.shape[0] > 0:
                    g = (slopes_a / norm_a - (score / norm_b) * (slopes_b - mean_b * slopes)) / norm_b
                    turn = g[1] * plane.ray + g[2] * plane.ray_column + g[3] * plane.ray_row
                    tilt = g[0] * (points[i] - plane.center) - turn
                    derivatives[i, slot] = wp.vec4(g[0], tilt[0], tilt[1], tilt[2])
