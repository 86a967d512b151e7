"""Where a point lies in a level, and what an interpolation finds there.

A level is (resolution, offset, hash slots, degree): see `layout.GridLayout`; 0 slots where it is not hashed.
"""

import warp as wp

PRIME_Y = wp.constant(wp.uint32(2654435761))
PRIME_Z = wp.constant(wp.uint32(805459861))


@wp.struct
class Cell:
    """The cell of a point: lowest vertex, position inside in [0, 1], and d position / d point (0 where clamped)."""

    vertex: wp.vec3i
    fraction: wp.vec3
    slope: wp.vec3


@wp.struct
class Interpolant:
    """Features at a point: value, first and second derivatives along the point's axes."""

    value: wp.vec2
    dx: wp.vec2
    dy: wp.vec2
    dz: wp.vec2
    dxx: wp.vec2
    dyy: wp.vec2
    dzz: wp.vec2
    dxy: wp.vec2
    dxz: wp.vec2
    dyz: wp.vec2


@wp.func
def inside(coordinate: float):
    return wp.where(wp.abs(coordinate) <= 1.0, 1.0, 0.0)


@wp.func
def cell_of(point: wp.vec3, resolution: int):
    """The integer bounds also keep a coordinate that is not a number within the table."""
    half = 0.5 * float(resolution)
    side = 2.0 * half
    x = wp.min(wp.max(point[0] * half + half, 0.0), side)
    y = wp.min(wp.max(point[1] * half + half, 0.0), side)
    z = wp.min(wp.max(point[2] * half + half, 0.0), side)
    last = resolution - 1
    i = wp.max(wp.min(int(x), last), 0)
    j = wp.max(wp.min(int(y), last), 0)
    k = wp.max(wp.min(int(z), last), 0)
    cell = Cell()
    cell.vertex = wp.vec3i(i, j, k)
    cell.fraction = wp.vec3(x - float(i), y - float(j), z - float(k))
    cell.slope = wp.vec3(half * inside(point[0]), half * inside(point[1]), half * inside(point[2]))
    return cell
