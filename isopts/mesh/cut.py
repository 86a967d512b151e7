"""Marching triangles: a mesh cut along the zero level of a function on its vertices."""

import numpy as np

from isopts.geometry.keep_faces import keep_faces
from isopts.geometry.triangle_mesh import TriangleMesh

_SHARE_MIN = 0.05  # of an edge, on both sides of a cut: thinner triangles have no useful normal


def cut_at_zero(mesh: TriangleMesh, values: np.ndarray) -> TriangleMesh:
    """The part of `mesh` where `values` (V,), linear within triangles, are negative.

    A zero counts as positive, so that no cut goes through a vertex: the border is made of simple closed curves (and
    ends only where the mesh does), a manifold mesh stays one. Two cuts are moved along their edge by up to a twentieth
    of its length. Normals and colours are interpolated.
    """
    inside = values < 0
    count = inside[mesh.faces].sum(axis=1)
    whole = mesh.faces[count == 3]
    one, two = _rotated(mesh.faces, inside, count, 1), _rotated(mesh.faces, inside, count, 2)
    # each row of edges leads from a negative to a positive vertex
    edges = np.concatenate([one[:, [0, 1]], one[:, [0, 2]], two[:, [1, 0]], two[:, [2, 0]]])
    keys, vertex = np.unique(edges @ [len(values), 1], return_inverse=True)
    ends = np.stack(np.divmod(keys, len(values)), axis=1)
    new = np.split(len(mesh.vertices) + vertex, np.cumsum([len(one), len(one), len(two)]))
    corners = np.stack([one[:, 0], new[0], new[1]], axis=1)
    quads = np.stack([new[2], two[:, 1], two[:, 2], new[2], two[:, 2], new[3]], axis=1).reshape(-1, 3)
    faces = np.concatenate([whole, corners, quads])
    extended = _with_cuts(mesh, ends, values, faces)
    return keep_faces(extended, np.ones(len(faces), dtype=bool))


def _rotated(faces: np.ndarray, inside: np.ndarray, count: np.ndarray, negatives: int) -> np.ndarray:
    """The faces with that many negative corners, turned so that the corner unlike the two others comes first."""
    some = faces[count == negatives]
    odd = inside[some] if negatives == 1 else ~inside[some]
    turn = (odd.argmax(axis=1)[:, None] + np.arange(3)) % 3
    return np.take_along_axis(some, turn, axis=1)


def _with_cuts(mesh: TriangleMesh, ends: np.ndarray, values: np.ndarray, faces: np.ndarray) -> TriangleMesh:
    """`mesh` with other faces and a vertex on each edge in `ends` (E, 2)."""
    low, high = values[ends].T
    share = np.clip(low / (low - high), _SHARE_MIN, 1 - _SHARE_MIN)[:, None]

    def extended(attribute: np.ndarray | None) -> np.ndarray | None:
        if attribute is None:
            return None
        start, end = attribute[ends[:, 0]], attribute[ends[:, 1]]
        return np.concatenate([attribute, (start + share * (end.astype(np.float64) - start)).astype(attribute.dtype)])

    normals = extended(mesh.normals)
    if normals is not None:
        normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(min=1e-12)
    return TriangleMesh(extended(mesh.vertices), faces, normals, extended(mesh.colors))
