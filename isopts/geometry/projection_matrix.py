"""A projection matrix taken apart into a camera."""

import numpy as np
from scipy.linalg import rq

from isopts.geometry.cameras import Camera


def decompose_projection(matrix: np.ndarray) -> Camera:
    """The camera of `matrix` (3, 4) = s K [R | t], for any factor s other than 0.

    K has positive focal lengths and K[2, 2] = 1; R is a rotation. A matrix that mirrors the image has no such
    decomposition, but one with a negative factor s.

    Raises:
        ValueError: not finite, or its left part is singular: no camera of finite focal length.
    """
    left = matrix[:, :3]
    if not np.isfinite(matrix).all() or abs(np.linalg.det(left)) <= 1e-12 * np.linalg.norm(left, axis=1).prod():
        raise ValueError("no projection of a camera with a finite focal length")
    matrix = matrix * np.sign(np.linalg.det(left))
    intrinsics, rotation = rq(matrix[:, :3])
    signs = np.diag(np.sign(np.diag(intrinsics)))  # det(left) > 0, so that det(R) stays 1
    intrinsics, rotation = intrinsics @ signs, signs @ rotation
    translation = np.linalg.solve(intrinsics, matrix[:, 3])
    return Camera(intrinsics / intrinsics[2, 2], rotation, translation)
