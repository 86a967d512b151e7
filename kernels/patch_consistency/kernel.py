"""One surfel a thread: its patch in the reference view against all of its source views.

The sums of the correlation and of its derivatives are taken in the same pass, of greys
relative to the first one of the patch, so that they lose no digits to the mean.
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
from isopts.kernels.patch_consistency.plane import CarriedPatch, SurfelPlane, carried_patch, sag_coefficients

wp.set_module_options({"enable_backward": False})

_INVALID = wp.constant(INVALID)
_SOURCE_CONTRAST_SHARE = wp.constant(SOURCE_CONTRAST_SHARE)


@wp.struct
class SourceSums:
    """Over a patch in a source view, a: weighted deviations of the reference, b: greys here relative to the first one.
    inside: all of it is in the image. b: summed with the weights times (1, column, row). slopes: derivatives of b with
    respect to a motion of the plane, summed with the weights times 1, column and row, with a, and with the weights
    times b; see `patch_gradient`."""

    inside: wp.bool
    b: wp.vec3
    bb: float
    ab: float
    slopes: wp.vec4
    slopes_column: wp.vec4
    slopes_row: wp.vec4
    slopes_a: wp.vec4
    slopes_b: wp.vec4


@wp.kernel
def patch_kernel(
    first: int,
    points: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    references: wp.array(dtype=wp.int32),
    sources: wp.array2d(dtype=wp.int32),
    bends: wp.array(dtype=wp.mat33),
    images: Images,
    limits: Limits,
    scores: wp.array2d(dtype=float),
    derivatives: wp.array2d(dtype=wp.vec4),
):
    """bends: one a surfel, or none: flat. `derivatives` (along the normal, then with respect to the normal) holds
    zeros, or is empty: not wanted."""
    i = first + wp.tid()
    for slot in range(sources.shape[1]):
        scores[i, slot] = _INVALID
    view = references[i]
    if view < 0:
        return
    plane = plane_in(images, view, points[i], normals[i], limits.half_size)
    if not plane.usable:
        return
    deviations = wp.zeros(shape=(PIXELS_MAX,), dtype=float)
    weights = wp.zeros(shape=(PIXELS_MAX,), dtype=float)
    patch = reference_patch(images, place_of(images, view), plane, limits, 1.0, deviations, weights)
    if not patch.usable:
        return
    sag = wp.vec3()
    if bends.shape[0] > 0:
        sag = sag_coefficients(plane, bends[i], limits.half_size)
    contrast = _SOURCE_CONTRAST_SHARE * limits.contrast
    wanted = derivatives.shape[0] > 0
    for slot in range(sources.shape[1]):
        other = sources[i, slot]
        if other < 0:
            continue
        carried = carried_patch(plane, images.projections[other])
        place = place_of(images, other)
        sums = source_sums(images.greys, place, plane, carried, sag, limits.half_size, deviations, weights, wanted)
        if sums.inside:
            variation_b = sums.bb - wp.dot(sums.b, patch.trend * sums.b)
            if variation_b >= contrast * contrast * patch.weight_sum:
                scores[i, slot] = sums.ab / (wp.sqrt(patch.variation) * wp.sqrt(variation_b))
                if wanted:
                    derivatives[i, slot] = patch_gradient(plane, patch, sums)


@wp.func
def source_sums(
    greys: wp.array(dtype=wp.uint8),
    place: Place,
    plane: SurfelPlane,
    carried: CarriedPatch,
    sag: wp.vec3,
    half_size: int,
    deviations: wp.array(dtype=float),
    weights: wp.array(dtype=float),
    with_slopes: bool,
) -> SourceSums:
    sums = SourceSums()
    sums.inside = False
    side = 2 * half_size + 1
    pixel = int(0)
    base = float(0.0)
    depth = plane.height / plane.along  # t of the surfel
    for k in range(side):
        row = float(k - half_size)
        of_row = wp.vec2()
        slopes_of_row = wp.vec4()
        for m in range(side):
            column = float(m - half_size)
            below = column * column * sag[0] + column * row * sag[1] + row * row * sag[2]
            motion = carried.step + column * carried.step_column + row * carried.step_row
            h = carried.image + column * carried.image_column + row * carried.image_row - below * motion
            inverse = 1.0 / h[2]
            u = h[0] * inverse
            v = h[1] * inverse
            # depth = h[2] / n.d, and n.d < 0
            if not (h[2] < 0.0 and holds(place, u, v)):
                return sums
            sample = bilinear(greys, place, u, v)
            if pixel == 0:
                base = sample[0]
            weight = weights[pixel]
            a = deviations[pixel]
            b = sample[0] - base
            of_row += weight * b * wp.vec2(1.0, column)
            sums.bb += weight * b * b
            sums.ab += a * b
            if with_slopes:
                change = (sample[1] * (motion[0] - u * motion[2]) + sample[2] * (motion[1] - v * motion[2])) * inverse
                rise = column * plane.along_column + row * plane.along_row
                farther = -(depth * rise + below) / (plane.along + rise)
                t = depth + farther
                s = change * wp.vec4(1.0, farther, t * column, t * row)
                weighted = weight * s
                slopes_of_row += weighted
                sums.slopes_column += column * weighted
                sums.slopes_a += a * s
                sums.slopes_b += b * weighted
            pixel += 1
        sums.b += wp.vec3(of_row[0], of_row[1], row * of_row[0])
        sums.slopes += slopes_of_row
        sums.slopes_row += row * slopes_of_row
    sums.inside = True
    return sums


@wp.func
def patch_gradient(plane: SurfelPlane, patch: ReferencePatch, sums: SourceSums) -> wp.vec4:
    """Of the correlation: along the normal, then with respect to the normal."""
    trend = patch.trend * sums.b
    norm_a = wp.sqrt(patch.variation)
    norm_b = wp.sqrt(sums.bb - wp.dot(sums.b, trend))
    score = sums.ab / (norm_a * norm_b)
    common = trend[0] * sums.slopes + trend[1] * sums.slopes_column + trend[2] * sums.slopes_row
    g = (sums.slopes_a / norm_a - (score / norm_b) * (sums.slopes_b - common)) / norm_b
    turn = g[1] * plane.ray + g[2] * plane.ray_column + g[3] * plane.ray_row  # about the surfel: no digits are lost
    return wp.vec4(g[0], -turn[0], -turn[1], -turn[2])
