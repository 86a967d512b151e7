"""A triangle mesh with a picture wrapped around it."""

from dataclasses import dataclass

import numpy as np

from isopts.geometry.triangle_mesh import TriangleMesh


@dataclass(frozen=True)
class TexturedMesh:
    """mesh: with normals; a vertex on a seam is there once for each side of it. picture (H, W, 3) uint8, sRGB.
    coordinates (V, 2) float64 of the vertices, 0 ... 1: u to the right and v upwards from the picture's lower left
    corner, as in OBJ."""

    mesh: TriangleMesh
    coordinates: np.ndarray
    picture: np.ndarray
