"""One mixture a thread: a pass over the neighbours for the mean, one for the covariance about it."""

import warp as wp

from isopts.kernels.local_planes.kernel import eigen_decomposition

wp.set_module_options({"enable_backward": False})


vec6 = wp.types.vector(length=6, dtype=wp.float32)


@wp.func
def products(offset: wp.vec3):
    x = offset[0]
    y = offset[1]
    z = offset[2]
    return vec6(x * x, x * y, x * z, y * y, y * z, z * z)


@wp.kernel
def mix(
    first: int,
    means: wp.array(dtype=wp.vec3),
    covariances: wp.array(dtype=vec6),
    neighbors: wp.array2d(dtype=wp.int64),
    weights: wp.array2d(dtype=float),
    mixed_means: wp.array(dtype=wp.vec3),
    mixed_covariances: wp.array(dtype=vec6),
):
    i = first + wp.tid()
    origin = means[neighbors[i, 0]]  # sums of small offsets keep their digits
    total = float(0.0)
    center = wp.vec3()
    for slot in range(neighbors.shape[1]):
        total += weights[i, slot]
        center += weights[i, slot] * (means[neighbors[i, slot]] - origin)
    share = 1.0 / total
    center = center * share
    covariance = vec6()
    for slot in range(neighbors.shape[1]):
        j = neighbors[i, slot]
        covariance += weights[i, slot] * (covariances[j] + products(means[j] - origin - center))
    mixed_means[i] = origin + center
    mixed_covariances[i] = share * covariance


@wp.kernel
def decompose(
    first: int,
    covariances: wp.array(dtype=vec6),
    variances: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
):
    i = first + wp.tid()
    c = covariances[i]
    xx = wp.float64(c[0])
    xy = wp.float64(c[1])
    xz = wp.float64(c[2])
    yy = wp.float64(c[3])
    yz = wp.float64(c[4])
    zz = wp.float64(c[5])
    values, axis = eigen_decomposition(wp.mat33d(xx, xy, xz, xy, yy, yz, xz, yz, zz))
    for d in range(3):
        variances[i][d] = wp.max(float(values[d]), 0.0)
        normals[i][d] = float(axis[d])
