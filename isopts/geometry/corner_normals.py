"""Normals for smooth shading that leave sharp edges sharp."""

import math

import numpy as np

from isopts.geometry.triangle_mesh import TriangleMesh

_CREASE = math.cos(math.radians(25))  # between face and vertex; edges of up to twice that are smooth


def corner_normals(mesh: TriangleMesh) -> np.ndarray:
    """(F, 3, 3) float32 normals of the faces' corners: the vertex's, or the face's where both are 25 degrees apart.

    A vertex has the normal of the file, or else the mean of its faces weighted by their angles there. Zero where a
    face without area has no vertex normal.
    """
    face = mesh.face_normals()[:, None]
    vertex = _vertex_normals(mesh) if mesh.normals is None else mesh.normals.astype(np.float64)
    corner = vertex[mesh.faces]
    smooth = (np.sum(corner * face, axis=2, keepdims=True) > _CREASE) | (face == 0).all(axis=2, keepdims=True)
    return np.where(smooth, corner, face).astype(np.float32)


def _vertex_normals(mesh: TriangleMesh) -> np.ndarray:
    """(V, 3) unit; zero for vertices without a face that has an area."""
    weighted = mesh.face_normals()[:, None] * _corner_angles(mesh)[..., None]
    sums = [
        np.bincount(mesh.faces.ravel(), column.ravel(), len(mesh.vertices)) for column in np.moveaxis(weighted, 2, 0)
    ]
    total = np.stack(sums, axis=1)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.divide(total, length, out=np.zeros_like(total), where=length > 0)


def _corner_angles(mesh: TriangleMesh) -> np.ndarray:
    """(F, 3) radians."""
    corners = mesh.vertices[mesh.faces]
    after, before = np.roll(corners, -1, axis=1) - corners, np.roll(corners, 1, axis=1) - corners
    across = np.linalg.norm(np.cross(after, before), axis=2)
    return np.arctan2(across, np.sum(after * before, axis=2))
