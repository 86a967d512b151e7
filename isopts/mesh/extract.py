"""Triangle mesh of a signed distance field's zero set."""

from collections.abc import Callable

import torch
from pydantic import Field

from isopts.config import StrictModel
from isopts.geometry.surface_cells import CellGrid, find_surface_cells
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.mesh.components import largest_component
from isopts.mesh.marching_cubes import marching_cubes
from isopts.mesh.surface_nodes import sample_surface_nodes

Value = Callable[[torch.Tensor], torch.Tensor]
ValueAndGradient = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


class MeshConfig(StrictModel):
    """How finely a field is cut into triangles."""

    resolution: int = Field(
        512,
        ge=2,
        le=4096,
        description="cells along a side of the domain; twice as many take four times as long",
    )
    largest: bool = Field(False, description="keep only the connected part with the largest area")
    margin: float = Field(
        1.25, ge=1, description="safety factor on the measured slope; raise it when a small part is missing"
    )
    chunk_points: int = Field(2**18, ge=8, description="points of the field evaluated at once; bounds the memory")


@torch.no_grad()
def extract_mesh(
    value: Value,
    value_and_gradient: ValueAndGradient,
    config: MeshConfig,
    device: torch.device | str = "cpu",
    bounds: tuple[float, float] = (-1.0, 1.0),
) -> TriangleMesh:
    """The zero set of `value` within a cube, evaluated only near the surface.

    The surface is that of marching cubes on the dense grid. It is closed but where it leaves the domain: there it is
    cut open. Faces are counter-clockwise seen from positive values, so a field that is negative inside gives a mesh
    with positive volume. A field without a change of sign gives a mesh without vertices.

    Args:
        value: (N, 3) -> (N,), negative inside.
        value_and_gradient: (N, 3) -> (N,), (N, 3); gives the vertex normals.
        config: resolution and what to keep.
        device: where the field's points are made.
        bounds: lowest and highest coordinate of the domain, the same on each axis.

    Returns:
        Mesh in the frame of the field, with unit normals along the gradient.
    """
    grid = CellGrid(config.resolution, *bounds)
    count = -(-config.resolution // 2)
    blocks = CellGrid(count, grid.low, grid.low + 2 * count * grid.cell_size)
    found = find_surface_cells(value, blocks, device, config.margin, config.chunk_points)
    nodes = sample_surface_nodes(value, grid, found, config.chunk_points)
    vertices, faces = marching_cubes(nodes, grid)
    mesh = TriangleMesh(vertices.cpu().numpy(), faces.cpu().numpy())
    if config.largest:
        mesh = largest_component(mesh)
    return TriangleMesh(mesh.vertices, mesh.faces, _normals(value_and_gradient, mesh, device, config.chunk_points))


def _normals(value_and_gradient: ValueAndGradient, mesh: TriangleMesh, device: torch.device | str, chunk: int):
    points = torch.from_numpy(mesh.vertices).float().to(device)
    gradients = torch.cat([value_and_gradient(some)[1] for some in points.split(chunk)])
    return torch.nn.functional.normalize(gradients.float(), dim=1).cpu().numpy()
