"""The greys of a surfel's patch in its reference view."""

import warp as wp

from isopts.kernels.patch_consistency.images import Images, Limits, Place, bilinear
from isopts.kernels.patch_consistency.plane import SurfelPlane, faces, surfel_plane

wp.set_module_options({"enable_backward": False})

HALF_SIZE_MAX = 5
INVALID = -2.0
SOURCE_CONTRAST_SHARE = 0.3  # of the least contrast: a source view may be darker than the reference, not blank
SPREAD_MIN = 0.01  # pixels^4, determinant of the covariance of those on the object: fewer tell no linear trend
PIXELS_MAX = wp.constant((2 * HALF_SIZE_MAX + 1) ** 2)
_SPREAD_MIN = wp.constant(SPREAD_MIN)


@wp.struct
class ReferencePatch:
    """usable: the plane faces every pixel, enough of them are on the object, with contrast. weight_sum: pixels on the
    object. variation: sum of the squares of what `reference_patch` writes into its array. trend: see `moments_inverse`.
    """

    usable: wp.bool
    weight_sum: float
    variation: float
    trend: wp.mat33


@wp.func
def plane_in(images: Images, view: int, point: wp.vec3, normal: wp.vec3, half_size: int) -> SurfelPlane:
    """The plane of a surfel as its reference view sees it."""
    return surfel_plane(
        point,
        normal,
        images.centers[view],
        images.projections[view],
        images.backprojections[view],
        images.sizes[view],
        half_size,
    )


@wp.func
def moments_inverse(moments: wp.mat33, detrend: bool) -> wp.mat33:
    """Takes weighted sums of greys times (1, column, row) to their best linear function of (1, column, row), `moments`
    being the sums of the latter's products; without `detrend` to the mean alone. 0 where pixels lie on a line."""
    count = moments[0, 0]
    found = wp.mat33()
    if detrend:
        if wp.determinant(moments) > _SPREAD_MIN * count * count * count:
            found = wp.inverse(moments)
    else:
        found[0, 0] = 1.0 / count
    return found


@wp.func
def reference_patch(
    images: Images,
    place: Place,
    plane: SurfelPlane,
    limits: Limits,
    pixels_min: float,
    deviations: wp.array(dtype=float),
    weights: wp.array(dtype=float),
) -> ReferencePatch:
    """Write the weights (1 on the object, 0 beside it) of the (2 half_size + 1)^2 pixels, row by row, and the weighted
    deviations of their greys from the weighted mean, or from what is linear in columns and rows; greys are taken
    relative to the middle one. pixels_min: of them must be on the object, besides the share in `limits`."""
    patch = ReferencePatch()
    patch.usable = False
    half_size = limits.half_size
    side = 2 * half_size + 1
    base = bilinear(images.greys, place, plane.u, plane.v)[0]
    pixel = int(0)
    sums = wp.vec3()
    moments = wp.mat33()
    for k in range(side):
        row = float(k - half_size)
        for m in range(side):
            column = float(m - half_size)
            if not faces(plane, column, row, limits.cosine_min):
                return patch
            nearest = int(plane.v + row + 0.5) * place.width + int(plane.u + column + 0.5)
            weight = float(0.0)
            if images.masks[place.start + wp.int64(nearest)] != wp.uint8(0):
                weight = 1.0
            grey = bilinear(images.greys, place, plane.u + column, plane.v + row)[0] - base
            deviations[pixel] = grey
            weights[pixel] = weight
            at = wp.vec3(1.0, column, row)
            moments += weight * wp.outer(at, at)
            sums += (weight * grey) * at
            pixel += 1
    weight_sum = moments[0, 0]
    if weight_sum < wp.max(limits.mask_share_min * float(side * side), pixels_min):
        return patch
    patch.trend = moments_inverse(moments, limits.detrend)
    if patch.trend[0, 0] == 0.0:
        return patch
    trend = patch.trend * sums
    variation = float(0.0)
    for p in range(pixel):
        at = wp.vec3(1.0, float(p % side - half_size), float(p // side - half_size))
        deviations[p] = weights[p] * (deviations[p] - wp.dot(trend, at))
        variation += deviations[p] * deviations[p]
    patch.weight_sum = weight_sum
    patch.variation = variation
    patch.usable = variation >= limits.contrast * limits.contrast * weight_sum
    return patch
