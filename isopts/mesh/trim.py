"""Cut away the part of a mesh that lies far from the data, so that an open scan stays open."""

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, vstack
from scipy.sparse.csgraph import connected_components, dijkstra

from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.mesh.cut import cut_at_zero

_ON_DATA = 1.0  # spacings within which a place belongs to the data
_RIM = 0.5  # spacings from the outermost points to where the surface ends on average
_OVERLAP = 2.0  # spacings beyond the reach in which distances are followed
_SMOOTHING = 1.0  # spacings over which the border is smoothed


def trim(mesh: TriangleMesh, clearances: np.ndarray, spacings: np.ndarray, reach: float) -> TriangleMesh:
    """The part of the manifold `mesh` that the data supports, with smooth borders cut through its triangles.

    A morphological closing of the data along the surface: dilated by `reach` and eroded by nearly as much. A gap
    narrower than twice the reach stays filled, a wider one is cut where the data ends. Distances follow edges, because
    the two sides of a thin sheet are near each other. Holes and islands smaller than a disc of radius `reach` go.

    Args:
        clearances: (V,) distance of each vertex to the data on its side; may be infinite.
        spacings: (V,) distance between data points there, positive: the unit of `reach`.
    """
    if len(mesh.faces) == 0:
        return mesh
    links = _links(mesh, spacings)
    signed = _distance_beyond_data(links, clearances / spacings, reach)
    signed = _smoothed(links, signed.clip(-reach, reach))
    return cut_at_zero(mesh, _without_small_regions(mesh, signed, spacings, reach))


def _links(mesh: TriangleMesh, spacings: np.ndarray) -> csr_matrix:
    """(V, V): length of every edge in spacings, both ways."""
    start, end = mesh.faces.ravel(), mesh.faces[:, [1, 2, 0]].ravel()
    lengths = np.linalg.norm(mesh.vertices[end] - mesh.vertices[start], axis=1)
    lengths = (2 * lengths / (spacings[start] + spacings[end])).clip(min=1e-9)  # 0 is no link
    links = coo_matrix((lengths, (start, end)), shape=(len(spacings),) * 2).tocsr()
    return links.maximum(links.T).tocsr()  # an edge of the mesh's border is in one face only


def _distance_beyond_data(links: csr_matrix, clearances: np.ndarray, reach: float) -> np.ndarray:
    """(V,) distance from the border of the supported part in spacings, negative inside; infinite far from it."""
    dilated = _distances(links, clearances <= _ON_DATA, clearances, reach + _OVERLAP)
    beyond = dilated > reach
    behind = reach + _OVERLAP - dilated  # at the starts: how much later than the farthest one they are reached
    eroded = _distances(links, beyond & (behind >= 0), behind, 2 * (reach + _OVERLAP)) - _OVERLAP
    return np.where(beyond, dilated, reach - eroded.clip(min=0)) - _RIM


def _distances(links: csr_matrix, starts: np.ndarray, offsets: np.ndarray, limit: float) -> np.ndarray:
    """(V,) the smallest of a start's offset and the way from there; infinite beyond `limit`."""
    size = links.shape[0]
    chosen = np.nonzero(starts)[0]
    first = csr_matrix((1 + offsets[chosen], chosen, [0, len(chosen)]), shape=(1, size))  # 1, for 0 is no link
    graph = vstack([links, first], format="csr")
    graph.resize((size + 1, size + 1))
    return dijkstra(graph, indices=size, limit=limit + 1)[:size] - 1


def _smoothed(links: csr_matrix, values: np.ndarray) -> np.ndarray:
    """A diffusion over the neighbours, as far as _SMOOTHING at the mesh's usual edge length."""
    rounds = int(np.clip(2 * (_SMOOTHING / np.median(links.data)) ** 2, 1, 100))
    even = links.copy()
    even.data = np.repeat(1 / np.diff(links.indptr).clip(min=1), np.diff(links.indptr))
    for _ in range(rounds):
        values = (values + even @ values) / 2
    return values


def _without_small_regions(mesh: TriangleMesh, values: np.ndarray, spacings: np.ndarray, reach: float) -> np.ndarray:
    """`values` with the sign turned in small connected regions of one sign: first holes, then islands."""
    start, end = mesh.faces.ravel(), mesh.faces[:, [1, 2, 0]].ravel()
    areas = np.bincount(start, weights=np.repeat(mesh.face_areas() / 3, 3), minlength=len(values)) / spacings**2
    for sign in (1, -1):
        same = sign * values >= 0
        within = same[start] & same[end]
        links = coo_matrix((np.ones(within.sum(), dtype=np.int8), (start[within], end[within])), (len(values),) * 2)
        _, region = connected_components(links, directed=False)
        small = np.bincount(region, weights=areas) < np.pi * reach**2
        values = np.where(same & small[region], -sign * np.maximum(np.abs(values), 1e-3), values)
    return values
