"""A part of a mesh."""

import numpy as np

from isopts.geometry.triangle_mesh import TriangleMesh


def keep_faces(mesh: TriangleMesh, keep: np.ndarray) -> TriangleMesh:
    """The faces where `keep` (F,) is true, with the vertices they use, in the same order."""
    used = np.zeros(len(mesh.vertices), dtype=bool)
    used[mesh.faces[keep]] = True
    number = np.cumsum(used) - 1
    return TriangleMesh(
        mesh.vertices[used],
        number[mesh.faces[keep]],
        None if mesh.normals is None else mesh.normals[used],
        None if mesh.colors is None else mesh.colors[used],
    )
