from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from isopts.mesh.cube_cases import CENTER, EDGE_CORNERS, FACES, cube_cases

ROWS = [(case, joined) for case in range(256) for joined in range(64) if not joined & ~cube_cases().ambiguous[case]]


def triangles_of(case: int, joined: int) -> list[tuple[int, int, int]]:
    table, row = cube_cases(), 64 * case + joined
    return [tuple(triangle) for triangle in table.triangles[table.first[row] :][: table.count[row]].tolist()]


def directed_sides(triangles: list[tuple[int, int, int]]) -> Counter:
    return Counter(side for triangle in triangles for side in pairwise((*triangle, triangle[0])))


def in_one_face(first: int, second: int) -> bool:
    corners = {*EDGE_CORNERS[first], *EDGE_CORNERS[second]}
    return any(corners <= set(face) for face in FACES)


def test_exactly_the_cut_edges_carry_vertices() -> None:
    for case, joined in ROWS:
        used = {vertex for triangle in triangles_of(case, joined) for vertex in triangle if vertex < CENTER}
        cut = {edge for edge, (a, b) in enumerate(EDGE_CORNERS) if (case >> a & 1) != (case >> b & 1)}
        assert used == cut, (case, joined)


def test_the_border_of_a_cell_s_triangles_lies_in_its_faces_and_nothing_else_does() -> None:
    for case, joined in ROWS:
        sides = directed_sides(triangles_of(case, joined))
        assert set(sides.values()) <= {1}, (case, joined)
        border = {side for side in sides if side[::-1] not in sides}
        assert all(in_one_face(*side) for side in border), (case, joined)
        inner = [side for side in sides if side not in border and max(side) < CENTER]
        assert not any(in_one_face(*side) for side in inner), (case, joined)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_neighbours_that_agree_on_a_face_meet_without_a_gap(axis: int) -> None:
    """The border in face +axis of one cell is the reverse of the border in face -axis of the next."""
    patterns: dict[tuple, set] = {}
    for case, joined in ROWS:
        for side in (0, 1):
            number = 2 * axis + side
            corners = sorted(FACES[number])
            edges = {e: k for k, e in enumerate(e for e, ends in enumerate(EDGE_CORNERS) if {*ends} <= set(corners))}
            sides = directed_sides(triangles_of(case, joined))
            border = {s for s in sides if s[::-1] not in sides and set(s) <= set(edges)}
            segments = frozenset((edges[a], edges[b]) if side else (edges[b], edges[a]) for a, b in border)
            decision = joined >> number & 1
            key = (tuple(case >> corner & 1 for corner in corners), decision)
            patterns.setdefault(key, set()).add(segments)
    assert len(patterns) == 16 + 2  # two patterns of a face are ambiguous
    assert all(len(segments) == 1 for segments in patterns.values())


def test_a_single_inside_corner_is_seen_from_outside() -> None:
    corners = np.array([[c & 1, c >> 1 & 1, c >> 2 & 1] for c in range(8)], dtype=float)
    (triangle,) = triangles_of(1, 0)
    a, b, c = (corners[list(EDGE_CORNERS[edge])].mean(axis=0) for edge in triangle)
    assert np.cross(b - a, c - a) @ np.ones(3) > 0  # away from the inside corner at the origin
