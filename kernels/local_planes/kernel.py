"""One plane a thread: two passes over its neighbours, then Jacobi rotations; nothing of size (N, K, 3) is stored.

Sums and rotations are in float64 whatever the points are: the residual of a plane is a small difference of large
squares, and its square root is what callers compare with the noise.
"""

from typing import Any

import warp as wp

wp.set_module_options({"enable_backward": False})

_SWEEPS = wp.constant(8)  # a sweep squares the relative size of the off-diagonal part; five reach rounding


@wp.func
def tangent(diagonal_p: wp.float64, diagonal_q: wp.float64, coupling: wp.float64):
    """Tangent of the smaller angle whose rotation makes the coupling of axes p and q zero."""
    if coupling == wp.float64(0.0):
        return wp.float64(0.0)
    ratio = (diagonal_q - diagonal_p) / (wp.float64(2.0) * coupling)
    root = wp.sqrt(ratio * ratio + wp.float64(1.0))
    return wp.where(ratio < wp.float64(0.0), wp.float64(-1.0), wp.float64(1.0)) / (wp.abs(ratio) + root)


@wp.func
def eigen_decomposition(matrix: wp.mat33d):
    """Eigenvalues, ascending, and the unit eigenvector of the first, of a symmetric matrix (Jacobi, 1846)."""
    a = matrix
    axes = wp.identity(n=3, dtype=wp.float64)  # rows
    scale = wp.abs(a[0, 0]) + wp.abs(a[1, 1]) + wp.abs(a[2, 2])
    for _sweep in range(_SWEEPS):
        if wp.abs(a[0, 1]) + wp.abs(a[0, 2]) + wp.abs(a[1, 2]) <= wp.float64(1e-16) * scale:
            break
        for r in range(3):
            p = (r + 1) % 3
            q = (r + 2) % 3
            coupling = a[p, q]
            t = tangent(a[p, p], a[q, q], coupling)
            c = wp.float64(1.0) / wp.sqrt(t * t + wp.float64(1.0))
            s = t * c
            a[p, p] = a[p, p] - t * coupling
            a[q, q] = a[q, q] + t * coupling
            rp = a[r, p]
            rq = a[r, q]
            a[p, q] = wp.float64(0.0)
            a[q, p] = wp.float64(0.0)
            a[r, p] = c * rp - s * rq
            a[p, r] = a[r, p]
            a[r, q] = s * rp + c * rq
            a[q, r] = a[r, q]
            axis_p = axes[p]
            axis_q = axes[q]
            axes[p] = c * axis_p - s * axis_q
            axes[q] = s * axis_p + c * axis_q
    smallest = int(0)
    if a[1, 1] < a[smallest, smallest]:
        smallest = 1
    if a[2, 2] < a[smallest, smallest]:
        smallest = 2
    p = (smallest + 1) % 3
    q = (smallest + 2) % 3
    middle = wp.min(a[p, p], a[q, q])
    largest = wp.max(a[p, p], a[q, q])
    return wp.vec3d(a[smallest, smallest], middle, largest), wp.normalize(axes[smallest])


@wp.func
def widened(vector: Any):
    return wp.vec3d(wp.float64(vector[0]), wp.float64(vector[1]), wp.float64(vector[2]))


@wp.kernel
def fit_planes(
    first: int,
    points: wp.array(dtype=Any),
    neighbors: wp.array2d(dtype=wp.int64),
    centers: wp.array(dtype=Any),
    normals: wp.array(dtype=Any),
    variances: wp.array(dtype=Any),
):
    i = first + wp.tid()
    present = wp.float64(0.0)
    center = wp.vec3d()
    for slot in range(neighbors.shape[1]):
        if neighbors[i, slot] >= wp.int64(0):
            present += wp.float64(1.0)
            center += widened(points[neighbors[i, slot]])
    share = wp.float64(1.0) / wp.max(present, wp.float64(1.0))
    center = center * share
    covariance = wp.mat33d()
    for slot in range(neighbors.shape[1]):
        if neighbors[i, slot] >= wp.int64(0):
            offset = widened(points[neighbors[i, slot]]) - center
            covariance += wp.outer(offset, offset)
    values, axis = eigen_decomposition(covariance * share)
    for d in range(3):
        centers[i][d] = centers.dtype.dtype(center[d])
        normals[i][d] = centers.dtype.dtype(axis[d])
        variances[i][d] = centers.dtype.dtype(wp.max(values[d], wp.float64(0.0)))


def _fit_planes(vector: type) -> wp.Kernel:
    names = ("points", "centers", "normals", "variances")
    return wp.overload(fit_planes, {name: wp.array(dtype=vector) for name in names})


FIT_PLANES = {4: _fit_planes(wp.vec3f), 8: _fit_planes(wp.vec3d)}  # by bytes a coordinate
