import numpy as np
import pytest
import torch
import trimesh
from scipy.spatial import cKDTree
from skimage.measure import marching_cubes as dense_marching_cubes

from isopts.geometry.surface_cells import CellGrid
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.mesh.components import face_components
from isopts.mesh.extract import MeshConfig, extract_mesh
from isopts.mesh.marching_cubes import marching_cubes
from isopts.mesh.surface_nodes import sample_surface_nodes


def sphere(points: torch.Tensor) -> torch.Tensor:
    return (points - torch.tensor([0.1, 0.05, -0.02])).norm(dim=1) - 0.71


def torus(points: torch.Tensor) -> torch.Tensor:
    return ((points[:, :2].norm(dim=1) - 0.55) ** 2 + points[:, 2] ** 2).sqrt() - 0.2


def blobs(points: torch.Tensor) -> torch.Tensor:
    """Genus and handles: a gyroid within a ball, smoothly joined."""
    waves = 5.3 * points
    gyroid = (waves.sin() * waves.roll(1, 1).cos()).sum(dim=1) / 9
    ball = points.norm(dim=1) - 0.85
    return 0.05 * torch.logsumexp(torch.stack([gyroid, ball]) / 0.05, dim=0)


def static(points: torch.Tensor) -> torch.Tensor:
    """Waves of a few cells: ambiguous faces and loops of every kind."""
    waves = 40 * points
    return (waves.sin() * waves.roll(1, 1).cos() * waves.roll(2, 1).sin()).sum(dim=1) / 60 + 0.01 * (
        91 * points[:, 0]
    ).sin()


def with_gradient(value):
    def value_and_gradient(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        with torch.enable_grad():
            points = points.detach().requires_grad_(True)
            values = value(points)
            return values.detach(), torch.autograd.grad(values.sum(), points)[0]

    return value_and_gradient


def extract(value, resolution: int, **options) -> TriangleMesh:
    return extract_mesh(value, with_gradient(value), MeshConfig(resolution=resolution, **options))


def edge_use(mesh: TriangleMesh) -> tuple[np.ndarray, np.ndarray]:
    """Undirected edges and how many faces use each; fails when two faces use one in the same direction."""
    directed = np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]])
    assert len(np.unique(directed, axis=0)) == len(directed)
    return np.unique(np.sort(directed, axis=1), axis=0, return_counts=True)


@pytest.mark.parametrize("resolution", [64, 97])
@pytest.mark.parametrize("value", [sphere, torus, blobs])
def test_same_surface_as_dense_marching_cubes(value, resolution: int) -> None:
    mesh = extract(value, resolution)
    nodes = torch.arange(resolution + 1).float() * (2 / resolution) - 1
    volume = value(torch.cartesian_prod(nodes, nodes, nodes)).view((resolution + 1,) * 3)
    vertices, faces, _, _ = dense_marching_cubes(volume.numpy(), 0.0)
    vertices = vertices * 2 / resolution - 1
    assert len(mesh.vertices) == len(vertices)
    assert len(mesh.faces) == len(faces)
    assert cKDTree(vertices).query(mesh.vertices)[0].max() < 1e-6
    assert cKDTree(mesh.vertices).query(vertices)[0].max() < 1e-6


@pytest.mark.parametrize("value", [sphere, blobs, static])
def test_same_triangles_as_from_all_blocks(value) -> None:
    sparse = extract(value, 40)
    axis, grid = torch.arange(20), CellGrid(40)
    nodes = sample_surface_nodes(value, grid, torch.cartesian_prod(axis, axis, axis), 2**18)
    vertices, faces = marching_cubes(nodes, grid)
    assert len(nodes.values) == 41**3
    np.testing.assert_array_equal(sparse.vertices, vertices.numpy())
    np.testing.assert_array_equal(sparse.faces, faces.numpy())


@pytest.mark.parametrize(("value", "euler"), [(sphere, 2), (torus, 0)])
def test_closed_the_right_way_out_with_outward_normals(value, euler: int) -> None:
    mesh = extract(value, 80)
    edges, count = edge_use(mesh)
    assert (count == 2).all()
    assert len(mesh.vertices) - len(edges) + len(mesh.faces) == euler
    exact = 4 / 3 * np.pi * 0.71**3 if value is sphere else 2 * np.pi**2 * 0.55 * 0.2**2
    assert mesh.volume() == pytest.approx(exact, rel=0.01)
    corner_normals = mesh.normals[mesh.faces].mean(axis=1)
    assert (corner_normals * mesh.face_normals()).sum(axis=1).min() > 0.95
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("resolution", [40, 41])
def test_a_surface_that_leaves_the_domain_is_open_there_only(resolution: int) -> None:
    mesh = extract(static, resolution)
    edges, count = edge_use(mesh)
    assert set(count) == {1, 2}  # never more, for all that is ambiguous here
    rim = mesh.vertices[edges[count == 1]]
    assert (np.abs(rim).max(axis=(1, 2)) == 1).all()
    assert np.abs(mesh.vertices).max() == 1
    assert trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).is_winding_consistent


def test_one_block_is_enough_to_find_the_whole_surface() -> None:
    grid = CellGrid(64)
    block = torch.tensor([[0, 16, 16]]) + torch.arange(32)[:, None] * torch.tensor([1, 0, 0])
    from_ray = sample_surface_nodes(sphere, grid, block, 1000)  # a row of blocks that meets the sphere twice
    vertices, faces = marching_cubes(from_ray, grid)
    whole = extract(sphere, 64)
    np.testing.assert_array_equal(vertices.numpy(), whole.vertices)
    assert len(faces) == len(whole.faces)


def test_nodes_exactly_on_the_surface_leave_no_holes() -> None:
    def box(points: torch.Tensor) -> torch.Tensor:
        return points.abs().amax(dim=1) - 0.5

    mesh = extract(box, 32)
    edges, count = edge_use(mesh)
    assert (count == 2).all()
    assert len(mesh.vertices) - len(edges) + len(mesh.faces) == 2
    assert mesh.volume() == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("level", [-0.001, 0.001])
def test_alternating_corners_are_joined_as_the_saddle_says(level: float) -> None:
    """The branches of x y = level stay apart in the cells around the z axis, whose corners alternate."""
    mesh = extract(lambda points: level - points[:, 0] * points[:, 1], 21)
    part = face_components(mesh)
    assert part.max() == 1
    for number in (0, 1):
        branch = mesh.vertices[np.unique(mesh.faces[part == number])]
        assert len(np.unique(np.sign(branch[:, :2]), axis=0)) == 1


def test_largest_keeps_the_largest_part() -> None:
    def pair(points: torch.Tensor) -> torch.Tensor:
        centers = torch.tensor([[-0.5, 0, 0], [0.5, 0, 0]])
        return (torch.cdist(points, centers) - torch.tensor([0.4, 0.2])).amin(dim=1)

    both, one = extract(pair, 64), extract(pair, 64, largest=True)
    assert both.vertices[:, 0].max() > 0.6
    assert one.vertices[:, 0].max() < 0
    assert one.volume() == pytest.approx(4 / 3 * np.pi * 0.4**3, rel=0.02)
    assert len(one.normals) == len(one.vertices)


def test_bounds_place_the_domain() -> None:
    config = MeshConfig(resolution=50)
    mesh = extract_mesh(sphere, with_gradient(sphere), config, bounds=(-0.3, 0.9))
    assert mesh.vertices.min() >= -0.3
    assert mesh.vertices.max() == pytest.approx(0.81, abs=1e-3)
    values = sphere(torch.from_numpy(mesh.vertices).float())
    assert values.abs().max() < 1e-3


def test_a_field_of_one_sign_gives_an_empty_mesh() -> None:
    mesh = extract(lambda points: 1 + points[:, 0] ** 2, 64)
    assert mesh.vertices.shape == (0, 3)
    assert mesh.faces.shape == (0, 3)
