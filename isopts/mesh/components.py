"""Connected parts of a mesh."""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from isopts.geometry.keep_faces import keep_faces
from isopts.geometry.triangle_mesh import TriangleMesh


def largest_component(mesh: TriangleMesh) -> TriangleMesh:
    """The part of `mesh` with the largest area; parts hang together by shared vertices. Unused vertices go."""
    if len(mesh.faces) == 0:
        return mesh
    part = face_components(mesh)
    area = np.bincount(part, weights=mesh.face_areas())
    return keep_faces(mesh, part == area.argmax())


def supported_components(mesh: TriangleMesh, supported: np.ndarray, area_share: float = 0.02) -> TriangleMesh:
    """The parts of which at least half the vertices are `supported` (V,) bool, by data near them for example, and whose
    area is at least `area_share` of the largest such part. Where no part is supported, the largest one."""
    if len(mesh.faces) == 0:
        return mesh
    part = face_components(mesh)
    area = np.bincount(part, weights=mesh.face_areas())
    corners = np.repeat(part, 3)
    share = np.bincount(corners, weights=supported[mesh.faces.ravel()]) / np.bincount(corners)
    area = np.where(share >= 0.5, area, 0)
    return keep_faces(mesh, (area >= area_share * area.max())[part]) if area.max() > 0 else largest_component(mesh)


def solid_components(mesh: TriangleMesh, area_share: float = 0.02) -> TriangleMesh:
    """The parts that enclose something and are not small: no bubbles inside a body, whose volume is negative, and no
    part with less than `area_share` of the largest one's area. Where no part is right way out, the largest one."""
    if len(mesh.faces) == 0:
        return mesh
    part = face_components(mesh)
    center = mesh.vertices.mean(axis=0)
    a, b, c = (mesh.vertices[mesh.faces[:, corner]] - center for corner in range(3))
    volume = np.bincount(part, weights=np.einsum("ij,ij->i", a, np.cross(b, c)))
    area = np.where(volume > 0, np.bincount(part, weights=mesh.face_areas()), 0)
    if area.max() == 0:
        return largest_component(mesh)
    return keep_faces(mesh, ((area > 0) & (area >= area_share * area.max()))[part])


def face_components(mesh: TriangleMesh) -> np.ndarray:
    """(F,) number of each face's part, 0 ... parts - 1."""
    start, end = mesh.faces[:, [0, 1]].ravel(), mesh.faces[:, [1, 2]].ravel()
    size = len(mesh.vertices)
    links = coo_matrix((np.ones(len(start), dtype=np.int8), (start, end)), shape=(size, size))
    _, label = connected_components(links, directed=False)
    return np.unique(label[mesh.faces[:, 0]], return_inverse=True)[1]
