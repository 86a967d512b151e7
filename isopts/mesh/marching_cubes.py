"""Triangles between grid nodes of opposite sign, one vertex per cut edge of the grid."""

import torch

from isopts.geometry.surface_cells import CellGrid
from isopts.mesh.cube_cases import CENTER, EDGE_CORNERS, FACES, cube_cases
from isopts.mesh.surface_nodes import SurfaceNodes


def marching_cubes(nodes: SurfaceNodes, grid: CellGrid) -> tuple[torch.Tensor, torch.Tensor]:
    """Vertices (V, 3) float64 and faces (F, 3) int64, counter-clockwise seen from positive values.

    Lorensen and Cline 1987 with the face decisions of Nielson and Hamann 1991 (asymptotic decider): a closed
    2-manifold but for the border of the grid, where it is cut open. The order of vertices and faces follows the grid.
    """
    cells, case = _cut_cells(nodes, grid)
    row = 64 * case + _joined_faces(nodes.values[cells], case)
    vertex_of_edge, vertices = _cut_edges(cells, case, nodes)
    faces, centers = _faces(row, vertex_of_edge, vertices)
    return grid.low + torch.cat([vertices, centers]) * grid.cell_size, faces


def _cut_cells(nodes: SurfaceNodes, grid: CellGrid) -> tuple[torch.Tensor, torch.Tensor]:
    """Corner nodes (C, 8) and case (C,) of the cells whose corners have both signs, within the grid."""
    octants = _bits(torch.arange(8, device=nodes.corners.device))
    offsets = octants[:, None] + octants  # cell within the block, corner of the cell
    inside = (nodes.values <= 0).to(torch.uint8)[nodes.corners]
    weights = torch.tensor([9, 3, 1], device=offsets.device)
    found, cases = [], []
    for octant, places in zip(octants, (offsets * weights).sum(-1), strict=True):
        case = torch.zeros_like(inside[0])
        for corner, place in enumerate(places.tolist()):
            case |= inside[place] << corner
        keep = (case > 0) & (case < 255) & (2 * nodes.blocks + octant < grid.resolution).all(dim=1)
        found.append(nodes.corners[places[:, None], torch.nonzero(keep)[:, 0]].T)
        cases.append(case[keep].long())
    return torch.cat(found), torch.cat(cases)


def _bits(corner: torch.Tensor) -> torch.Tensor:
    return torch.stack([corner & 1, corner >> 1 & 1, corner >> 2 & 1], dim=-1)


def _joined_faces(values: torch.Tensor, case: torch.Tensor) -> torch.Tensor:
    """Bit f: the inside corners of face f, which alternate, are connected within it (C,).

    They are where the bilinear interpolant's saddle is inside: v_a v_c > v_b v_d for inside corners a, c.
    """
    ambiguous = torch.from_numpy(cube_cases().ambiguous).to(case.device)[case]
    joined = torch.zeros_like(case)
    some = torch.nonzero(ambiguous)[:, 0]
    values = values[some].double()
    for number, (a, b, c, d) in enumerate(FACES):
        excess = values[:, a] * values[:, c] - values[:, b] * values[:, d]
        saddle_inside = torch.where(values[:, a] <= 0, excess > 0, excess < 0)
        joined[some] |= (saddle_inside & (ambiguous[some] >> number & 1).bool()).long() << number
    return joined


def _cut_edges(cells: torch.Tensor, case: torch.Tensor, nodes: SurfaceNodes) -> tuple[torch.Tensor, torch.Tensor]:
    """Vertex of each cell's edges (C, 12), meaningless where the edge is not cut, and the vertices (V, 3) in cells.

    Three times its lower node plus its axis names a grid edge; a vertex is where the chord of its two values is zero.
    """
    lower, upper = torch.tensor(EDGE_CORNERS, device=cells.device).T
    keys = 3 * cells[:, lower] + torch.arange(12, device=cells.device) // 4
    is_cut = (case[:, None] >> lower & 1) != (case[:, None] >> upper & 1)
    cut = torch.zeros(3 * len(nodes.values), dtype=torch.bool, device=cells.device)
    cut[keys[is_cut]] = True
    vertex_of_edge = (torch.cumsum(cut, 0) - 1)[keys]
    ends = torch.zeros((int(cut.sum()), 2), dtype=torch.int64, device=cells.device)
    ends[vertex_of_edge[is_cut]] = torch.stack([cells[:, lower][is_cut], cells[:, upper][is_cut]], dim=1)
    below, above = nodes.values[ends].double().unbind(1)
    low, high = nodes.positions[ends].double().unbind(1)
    return vertex_of_edge, low + (below / (below - above))[:, None] * (high - low)


def _faces(
    row: torch.Tensor, vertex_of_edge: torch.Tensor, vertices: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Faces (F, 3) of the cells with table rows (C,), and the vertices (M, 3) in the middle of loops, numbered last."""
    table = cube_cases()
    first, count, triangles = (
        torch.from_numpy(array).to(row.device) for array in (table.first, table.count, table.triangles)
    )
    cell = torch.repeat_interleave(count[row])
    within = torch.arange(len(cell), device=row.device) - (torch.cumsum(count[row], 0) - count[row])[cell]
    edges = triangles[first[row][cell] + within]
    faces = vertex_of_edge[cell[:, None], edges.clamp(max=CENTER - 1)]
    fan = torch.nonzero(edges[:, 2] >= CENTER)[:, 0]
    loops, loop = torch.unique(4 * cell[fan] + edges[fan, 2] - CENTER, return_inverse=True)
    centers = torch.zeros((len(loops), 3), dtype=vertices.dtype, device=row.device)
    centers.index_add_(0, loop, vertices[faces[fan, 0]])  # each vertex of a loop starts one triangle of its fan
    faces[fan, 2] = len(vertices) + loop
    return faces, centers / torch.bincount(loop, minlength=len(loops))[:, None]
