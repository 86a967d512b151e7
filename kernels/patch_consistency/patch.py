"""The greys of a surfel's patch in its reference view, and how they are read from an image."""

import warp as wp

from isopts.kernels.patch_consistency.plane import SurfelPlane, faces

wp.set_module_options({"enable_backward": False})


@wp.struct
class ReferencePatch:
    """usable: the plane faces every pixel, enough of them are on the object, with contrast. weight_sum: pixels on the
    object. variation: sum of the squares of what `reference_patch` writes into its array."""

    usable: wp.bool
    weight_sum: float
    variation: float


@wp.func
def bilinear(greys: wp.array(dtype=wp.uint8), start: wp.int64, width: int, column: float, row: float):
    """Grey (0 ... 255) and its derivatives along the columns and the rows; needs a pixel to the right and below."""
    left = int(column)
    top = int(row)
    a = column - float(left)
    b = row - float(top)
    at = start + wp.int64(top * width + left)
    below = at + wp.int64(width)
    p = float(greys[at])
    q = float(greys[at + wp.int64(1)])
    r = float(greys[below])
    s = float(greys[below + wp.int64(1)])
    upper = p + a * (q - p)
    lower = r + a * (s - r)
    return wp.vec3(upper + b * (lower - upper), q - p + b * (s - r - q + p), lower - upper)


@wp.func
def reference_patch(
    greys: wp.array(dtype=wp.uint8),
    masks: wp.array(dtype=wp.uint8),
    start: wp.int64,
    width: int,
    plane: SurfelPlane,
    half_size: int,
    cosine_min: float,
    weight_min: float,
    contrast: float,
    deviations: wp.array(dtype=float),
    weights: wp.array(dtype=float),
) -> ReferencePatch:
    """Write the weights (1 on the object, 0 beside it) of the (2 half_size + 1)^2 pixels, row by row, and the weighted
    deviations of their greys from the weighted mean; greys are taken relative to the middle one. contrast: least
    standard deviation, white being 255."""
    patch = ReferencePatch()
    patch.usable = False
    side = 2 * half_size + 1
    base = bilinear(greys, start, width, plane.u, plane.v)[0]
    pixel = int(0)
    weight_sum = float(0.0)
    sum_a = float(0.0)
    for k in range(side):
        row = float(k - half_size)
        for m in range(side):
            column = float(m - half_size)
            if not faces(plane, column, row, cosine_min):
                return patch
            nearest = int(plane.v + row + 0.5) * width + int(plane.u + column + 0.5)
            weight = float(0.0)
            if masks[start + wp.int64(nearest)] != wp.uint8(0):
                weight = 1.0
            grey = bilinear(greys, start, width, plane.u + column, plane.v + row)[0] - base
            deviations[pixel] = grey
            weights[pixel] = weight
            weight_sum += weight
            sum_a += weight * grey
            pixel += 1
    if weight_sum < weight_min:
        return patch
    mean_a = sum_a / weight_sum
    variation = float(0.0)
    for p in range(pixel):
        deviations[p] = weights[p] * (deviations[p] - mean_a)
        variation += deviations[p] * deviations[p]
    patch.weight_sum = weight_sum
    patch.variation = variation
    patch.usable = variation >= contrast * contrast * weight_sum
    return patch
