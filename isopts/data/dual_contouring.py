"""Closed mesh of a formula's zero set that keeps sharp edges: dual contouring (Ju et al., SIGGRAPH 2002).

Every cell that the surface crosses gets the vertex that fits the tangent planes at the cell's crossed edges best, every
crossed edge a quad of the four cells around it.
"""

from typing import NamedTuple

import numpy as np

from isopts.data.synthetic_shapes import SignedDistance, project_onto, unit_gradients

_COARSE = 4  # cells of the search for the surface, in fine cells
_BOUND_SLACK = 2.0  # a formula may exceed the distance inside fillets
_ROOT_STEPS = 6  # of the regula falsi (Illinois)
_RANK_THRESHOLD = 0.05  # directions in which the tangent planes vary less, relatively, stay undecided
_NEWTON_STEPS = 3
_CHUNK = 1 << 17  # points evaluated at once; bounds the memory
_SHIFT = np.array([0.31, 0.23, 0.37])  # of the grid in cells: planes of a shape must not fall on planes of the grid
_AXES = np.eye(3, dtype=np.int64)


class _Grid(NamedTuple):
    """cells along a side of the cube [-half_side, half_side]^3, moved by a fraction of a cell."""

    cells: int
    half_side: float

    @property
    def size(self) -> float:
        """Side of a cell."""
        return 2 * self.half_side / self.cells

    def places(self, coordinates: np.ndarray) -> np.ndarray:
        """(N, 3) points at grid `coordinates` (N, 3), 0 ... cells."""
        return (coordinates + _SHIFT) * self.size - self.half_side


class _Crossings(NamedTuple):
    """Grid edges that the surface crosses. start (M, 3): grid coordinates of the lower end. axis (M,). outward (M,)
    bool: inside at the lower end. points, normals (M, 3)."""

    start: np.ndarray
    axis: np.ndarray
    outward: np.ndarray
    points: np.ndarray
    normals: np.ndarray


def dual_contour(shape: SignedDistance, half_side: float, resolution: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) on the zero set, faces (F, 3) counter-clockwise from outside.

    Args:
        half_side: the shape lies within [-half_side, half_side]^3, with a cell to spare.
        resolution: cells along a side, a multiple of 4. Walls and gaps must be thicker than two cells.
    """
    grid = _Grid(resolution, half_side)
    crossings = _crossings(shape, _without_checkered_faces(_inside(shape, grid)), grid)
    cells, ring_index = _without_repeats(_rings(crossings).reshape(-1, 3), resolution)
    vertices = _vertices(crossings, grid.places(cells), grid.size, ring_index)
    vertices = _in_chunks(lambda points: project_onto(shape, points, _NEWTON_STEPS), vertices)
    return vertices, _triangles(shape, vertices, ring_index.reshape(-1, 4), crossings.outward)


def _inside(shape: SignedDistance, grid: _Grid) -> np.ndarray:
    """(n + 1, n + 1, n + 1) bool at the grid's corners; the formula is evaluated only where the surface can be near."""
    coarse, corners = grid.cells // _COARSE, (grid.cells + 1,) * 3
    blocks = np.indices((coarse,) * 3).reshape(3, -1).T * _COARSE
    values = _in_chunks(shape, grid.places(blocks + _COARSE / 2))
    inside = np.pad(values.reshape((coarse,) * 3) < 0, ((0, 1),) * 3, mode="edge")
    for axis in range(3):
        inside = inside.repeat(_COARSE, axis=axis)
    inside = inside[tuple(slice(side) for side in corners)].copy()
    near = blocks[np.abs(values) <= _BOUND_SLACK * np.sqrt(3) / 2 * _COARSE * grid.size]
    offsets = np.indices((_COARSE + 1,) * 3).reshape(3, -1).T
    places, _ = _without_repeats((near[:, None] + offsets).reshape(-1, 3), grid.cells + 1)
    inside[tuple(places.T)] = _in_chunks(shape, grid.places(places)) < 0
    return inside


def _without_repeats(coordinates: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Different rows of (M, 3) grid coordinates below `side`, and where each row is among them (M,)."""
    number = np.ravel_multi_index(tuple(coordinates.T), (side,) * 3)
    used = np.zeros(side**3, dtype=bool)
    used[number] = True
    return np.argwhere(used.reshape((side,) * 3)), (np.cumsum(used) - 1)[number]


def _without_checkered_faces(inside: np.ndarray) -> np.ndarray:
    """Fill cell faces with alternating corners, at saddles almost parallel to them: four quads would meet there."""
    inside, changed = inside.copy(), True
    while changed:
        changed = False
        for first, second in ((0, 1), (0, 2), (1, 2)):
            ends = (slice(None, -1), slice(1, None))
            corners = []
            for place in ((0, 0), (0, 1), (1, 0), (1, 1)):
                window = [slice(None)] * 3
                window[first], window[second] = ends[place[0]], ends[place[1]]
                corners.append(inside[tuple(window)])
            checkered = (corners[0] == corners[3]) & (corners[1] == corners[2]) & (corners[0] != corners[1])
            changed |= bool(checkered.any())
            for corner in corners:
                corner[checkered] = True
    return inside


def _crossings(shape: SignedDistance, inside: np.ndarray, grid: _Grid) -> _Crossings:
    found = [np.argwhere(np.diff(inside, axis=axis)) for axis in range(3)]
    start, axis = np.concatenate(found), np.repeat(range(3), [len(edges) for edges in found])
    ends = np.concatenate([grid.places(start), grid.places(start + _AXES[axis])], axis=1)
    points = _in_chunks(lambda pairs: _root(shape, pairs[:, :3], pairs[:, 3:]), ends)
    normals = _in_chunks(lambda points: unit_gradients(shape, points), points)
    return _Crossings(start, axis, inside[tuple(start.T)], points, normals)


def _root(shape: SignedDistance, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(M, 3) zeros between the ends, or the end nearer to the surface where both are on one side."""
    at_low, at_high = shape(low), shape(high)
    for _ in range(_ROOT_STEPS):
        share = np.clip(at_low / np.where(at_low == at_high, 1, at_low - at_high), 0, 1)[:, None]
        middle = low + share * (high - low)
        value = shape(middle)
        same = (value < 0) == (at_low < 0)
        at_low, at_high = np.where(same, value, at_low / 2), np.where(same, at_high / 2, value)
        low, high = np.where(same[:, None], middle, low), np.where(same[:, None], high, middle)
    return middle


def _rings(crossings: _Crossings) -> np.ndarray:
    """(M, 4, 3) grid coordinates of the cells around each crossed edge, counter-clockwise along the axis."""
    first, second = _AXES[(crossings.axis + 1) % 3], _AXES[(crossings.axis + 2) % 3]
    start = crossings.start
    return np.stack([start - first - second, start - second, start, start - first], axis=1)


def _vertices(crossings: _Crossings, corners: np.ndarray, size: float, ring_index: np.ndarray) -> np.ndarray:
    """(V, 3) the point in each cell that lies best on its tangent planes, the mean crossing where they do not say.

    corners: (V, 3) lower corners of the cells.
    """
    number = len(corners)

    def total(values: np.ndarray) -> np.ndarray:
        repeated = values.reshape(len(values), -1).repeat(4, axis=0)
        sums = [np.bincount(ring_index, weights=column, minlength=number) for column in repeated.T]
        return np.stack(sums, axis=1).reshape(number, *values.shape[1:])

    count = np.bincount(ring_index, minlength=number)[:, None]
    mean = total(crossings.points) / count
    planes = total(crossings.normals[:, :, None] * crossings.normals[:, None])
    offsets = np.sum(crossings.normals * crossings.points, axis=1)
    right = total(offsets[:, None] * crossings.normals) - np.einsum("vij,vj->vi", planes, mean)
    values, directions = np.linalg.eigh(planes)
    decided = values > _RANK_THRESHOLD * values[:, -1:]
    inverse = np.where(decided, 1 / np.where(decided, values, 1), 0)
    moved = mean + np.einsum("vij,vj,vkj,vk->vi", directions, inverse, directions, right, optimize=True)
    return np.clip(moved, corners, corners + size)


def _triangles(shape: SignedDistance, vertices: np.ndarray, quads: np.ndarray, outward: np.ndarray) -> np.ndarray:
    """Each quad is cut along the diagonal that is closer to the surface."""
    quads = np.where(outward[:, None], quads, quads[:, ::-1])
    middles = [(vertices[quads[:, first]] + vertices[quads[:, first + 2]]) / 2 for first in (0, 1)]
    distances = [np.abs(_in_chunks(shape, middle)) for middle in middles]
    quads = np.where((distances[0] <= distances[1])[:, None], quads, np.roll(quads, -1, axis=1))
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def _in_chunks(function: SignedDistance, points: np.ndarray) -> np.ndarray:
    return np.concatenate([function(points[first : first + _CHUNK]) for first in range(0, len(points), _CHUNK)])
