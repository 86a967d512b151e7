"""Triangles of one grid cell for every pattern of inside corners, derived instead of tabulated.

The surface cuts the cell's edges between an inside and an outside corner. On each face these cuts are joined in
pairs; the pairs of all six faces close to loops, and each loop becomes a disk. A face with alternating corners can
be joined in two ways. Both cells that share it take the same one (the caller decides it from the face's four values),
so the surface never has a gap. A diagonal within a face could meet the neighbour's and be shared by four triangles,
so none is used; a loop that cannot do without gets a vertex in its middle. Hence: a closed 2-manifold, always.

Corner c of the cell is at (c & 1, c >> 1 & 1, c >> 2 & 1). Edge e runs along axis e // 4 from EDGE_CORNERS[e][0].
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

EDGE_CORNERS = [(c, c | 1 << axis) for axis in range(3) for c in range(8) if not c >> axis & 1]
CENTER = 12  # a loop's number in place of an edge: CENTER + loop
_EDGE_OF_CORNERS = {frozenset(corners): edge for edge, corners in enumerate(EDGE_CORNERS)}


def _face_corners(axis: int, side: int) -> tuple[int, int, int, int]:
    """Corners of a face, counter-clockwise seen from outside the cell."""
    u, v = 1 << (axis + 1) % 3, 1 << (axis + 2) % 3
    corner = side << axis
    ring = (corner, corner | u, corner | u | v, corner | v)
    return ring if side else ring[::-1]


FACES = [_face_corners(axis, side) for axis in range(3) for side in (0, 1)]
_EDGES_OF_FACE = [{_EDGE_OF_CORNERS[frozenset((f[i], f[i - 1]))] for i in range(4)} for f in FACES]


@dataclass(frozen=True)
class CubeCases:
    """Row `64 * case + joined`: bit c of `case` says corner c is inside; bit f of `joined` says that face f, with
    alternating corners, connects its inside ones.

    ambiguous: (256,) bits of the faces with alternating corners. first, count: (16384,) range of the row's triangles;
    triangles: (T, 3) edges; the last one can be CENTER + loop for the vertex in the middle of a loop.
    """

    ambiguous: np.ndarray
    first: np.ndarray
    count: np.ndarray
    triangles: np.ndarray


@cache
def cube_cases() -> CubeCases:
    """The table; built once, in a fraction of a second."""
    ambiguous = np.array([_ambiguous_faces(case) for case in range(256)])
    first, count = np.zeros(256 * 64, dtype=np.int64), np.zeros(256 * 64, dtype=np.int64)
    triangles: list[tuple[int, int, int]] = []
    for case in range(256):
        for joined in range(64):
            if joined & ~ambiguous[case]:
                continue
            row = 64 * case + joined
            first[row] = len(triangles)
            for number, loop in enumerate(_loops(case, joined)):
                triangles += _disk(loop, CENTER + number)
            count[row] = len(triangles) - first[row]
    return CubeCases(ambiguous, first, count, np.array(triangles))


def _inside(case: int, corner: int) -> bool:
    return bool(case >> corner & 1)


def _ambiguous_faces(case: int) -> int:
    bits = 0
    for number, (a, b, c, d) in enumerate(FACES):
        alternating = _inside(case, a) == _inside(case, c) != _inside(case, b) == _inside(case, d)
        bits |= alternating << number
    return bits


def _loops(case: int, joined: int) -> list[list[int]]:
    """Closed chains of cut edges, counter-clockwise seen from the outside of the surface."""
    following: dict[int, int] = {}
    for number, face in enumerate(FACES):
        following.update(_face_segments(case, face, bool(joined >> number & 1)))
    loops = []
    while following:
        start, edge = following.popitem()
        loop = [start]
        while edge != start:
            loop.append(edge)
            edge = following.pop(edge)
        loops.append(loop)
    return loops


def _face_segments(case: int, face: tuple[int, int, int, int], joined: bool) -> dict[int, int]:
    """Edge -> edge, with the inside corners on the left as seen from outside the cell."""
    entering, leaving = [], []  # going round the face, edges into and out of the inside
    for position in range(4):
        a, b = face[position - 1], face[position]
        if _inside(case, a) != _inside(case, b):
            (entering if _inside(case, b) else leaving).append((position, _EDGE_OF_CORNERS[frozenset((a, b))]))
    if len(entering) == 2:
        # after entering, the first way out cuts off one inside corner; the other way out keeps both connected
        nearest_first = [sorted(leaving, key=lambda out, p=position: (out[0] - p) % 4) for position, _ in entering]
        return {edge: ways[1 if joined else 0][1] for (_, edge), ways in zip(entering, nearest_first, strict=True)}
    return {edge: out for (_, edge), (_, out) in zip(entering, leaving, strict=True)}


def _disk(loop: list[int], center: int) -> list[tuple[int, int, int]]:
    """Triangles over a loop without a diagonal in a face, or a fan around `center`."""
    triangles = _triangulate(loop)
    if triangles is not None:
        return triangles
    return [(loop[i - 1], loop[i], center) for i in range(len(loop))]


def _triangulate(loop: list[int]) -> list[tuple[int, int, int]] | None:
    """The polygon on the side of the chord from the last to the first, split at the first apex that works."""
    if len(loop) == 2:
        return []
    for apex in range(1, len(loop) - 1):
        if _in_one_face(loop, 0, apex) or _in_one_face(loop, apex, len(loop) - 1):
            continue
        before, after = _triangulate(loop[: apex + 1]), _triangulate(loop[apex:])
        if before is not None and after is not None:
            return [(loop[0], loop[apex], loop[-1]), *before, *after]
    return None


def _in_one_face(loop: list[int], start: int, end: int) -> bool:
    """Is the chord a diagonal that lies in a face? Neighbours on the loop are its sides, which always do."""
    return end - start > 1 and any({loop[start], loop[end]} <= edges for edges in _EDGES_OF_FACE)
