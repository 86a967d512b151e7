"""The plane of a surfel as its reference view sees it, and as it carries pixels of that view into another one.

With ray direction d = B (column, row, 1), plane n . (X - x) = 0 and reference centre C, a pixel's point is C + t d with
t = n.(x - C) / n.d. Its source image (P (C, 1) n.d + n.(x - C) M d) / n.d is, up to the divisor, linear in the pixel:
one division a sample.

A curved surface falls below its tangent plane by (X - x) . S (X - x) / 2, S the shape operator: every pixel has a
parallel plane of its own, lower by its sag. X - x is taken to be linear in the pixel there, as it nearly is.
"""

import warp as wp

wp.set_module_options({"enable_backward": False})

SAG_MAX = 0.25  # of the patch's reach: it does not go around a ball
_SAG_MAX = wp.constant(SAG_MAX)
mat34 = wp.types.matrix(shape=(3, 4), dtype=float)


@wp.struct
class SurfelPlane:
    """usable: the patch is in the image, the plane is seen from its front. u, v: pixel of the surfel. ray: d there,
    ray_column, ray_row: its change a pixel. height: n.(x - C). along, along_column, along_row: n.d, alike."""

    usable: wp.bool
    center: wp.vec3
    u: float
    v: float
    ray: wp.vec3
    ray_column: wp.vec3
    ray_row: wp.vec3
    height: float
    along: float
    along_column: float
    along_row: float


@wp.struct
class CarriedPatch:
    """image: homogeneous pixel of the source, times n.d, for the surfel's pixel; image_column, image_row: its change a
    pixel. step, step_column, step_row: M d, alike."""

    image: wp.vec3
    image_column: wp.vec3
    image_row: wp.vec3
    step: wp.vec3
    step_column: wp.vec3
    step_row: wp.vec3


@wp.func
def surfel_plane(
    x: wp.vec3,
    n: wp.vec3,
    center: wp.vec3,
    projection: mat34,
    backprojection: wp.mat33,
    size: wp.vec2i,
    half_size: int,
) -> SurfelPlane:
    plane = SurfelPlane()
    plane.usable = False
    at = projection * wp.vec4(x[0], x[1], x[2], 1.0)
    if at[2] > 0.0:
        u = at[0] / at[2]
        v = at[1] / at[2]
        half = float(half_size)
        if u >= half and v >= half and u < float(size[0] - 1) - half and v < float(size[1] - 1) - half:
            plane.center = center
            plane.u = u
            plane.v = v
            plane.ray = backprojection * wp.vec3(u, v, 1.0)
            plane.ray_column = backprojection * wp.vec3(1.0, 0.0, 0.0)
            plane.ray_row = backprojection * wp.vec3(0.0, 1.0, 0.0)
            plane.height = wp.dot(n, x - center)
            plane.along = wp.dot(n, plane.ray)
            plane.along_column = wp.dot(n, plane.ray_column)
            plane.along_row = wp.dot(n, plane.ray_row)
            plane.usable = plane.height < 0.0
    return plane


@wp.func
def faces(plane: SurfelPlane, column: float, row: float, cosine_min: float) -> bool:
    """Whether the ray of the pixel at an offset from the surfel's meets the plane's front, not too obliquely."""
    slope = plane.along + column * plane.along_column + row * plane.along_row
    d = plane.ray + column * plane.ray_column + row * plane.ray_row
    return slope < 0.0 and slope * slope >= cosine_min * cosine_min * wp.dot(d, d)


@wp.func
def sag_coefficients(plane: SurfelPlane, bend: wp.mat33, half_size: int) -> wp.vec3:
    """Of the sag in the pixel's offset from the surfel's: column^2, column row, row^2. bend: the shape operator."""
    depth = plane.height / plane.along
    column = depth * (plane.ray_column - (plane.along_column / plane.along) * plane.ray)
    row = depth * (plane.ray_row - (plane.along_row / plane.along) * plane.ray)
    bent = bend * row
    sag = 0.5 * wp.vec3(wp.dot(column, bend * column), 2.0 * wp.dot(column, bent), wp.dot(row, bent))
    steepest = float(half_size) * (wp.abs(sag[0]) + wp.abs(sag[1]) + wp.abs(sag[2]))
    most = _SAG_MAX * (wp.length(column) + wp.length(row))
    return sag * (most / wp.max(most, steepest))


@wp.func
def carried_patch(plane: SurfelPlane, projection: mat34) -> CarriedPatch:
    carried = CarriedPatch()
    origin = projection * wp.vec4(plane.center[0], plane.center[1], plane.center[2], 1.0)
    carried.step = _turned(projection, plane.ray)
    carried.step_column = _turned(projection, plane.ray_column)
    carried.step_row = _turned(projection, plane.ray_row)
    carried.image = plane.along * origin + plane.height * carried.step
    carried.image_column = plane.along_column * origin + plane.height * carried.step_column
    carried.image_row = plane.along_row * origin + plane.height * carried.step_row
    return carried


@wp.func
def _turned(projection: mat34, d: wp.vec3) -> wp.vec3:
    return projection * wp.vec4(d[0], d[1], d[2], 0.0)
