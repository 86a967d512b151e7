import pytest
import torch

from isopts.errors import InputError
from isopts.kernels.neighbors import nearest_neighbors
from isopts.kernels.point_repulsion import repulsion


def cloud(count: int, dtype: torch.dtype, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    points = torch.rand((count, 3), generator=generator, dtype=dtype)
    normals = torch.nn.functional.normalize(torch.randn((count, 3), generator=generator, dtype=dtype), dim=1)
    points, normals = points.to(device), normals.to(device)
    return points, normals, nearest_neighbors(points, points, 9).indices[:, 1:]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("count", [1, 5, 3001])
@pytest.mark.parametrize(("smallest_cosine", "own_plane"), [(-1.1, False), (0.2, True)])
def test_the_kernel_is_its_definition(dtype, count: int, smallest_cosine: float, own_plane: bool, device) -> None:
    points, normals, neighbors = cloud(count, dtype, device)
    arguments = (points, normals, neighbors, 50.0, smallest_cosine, own_plane)
    expected = repulsion(*arguments, backend="reference")
    torch.testing.assert_close(repulsion(*arguments), expected)


def test_two_points_push_each_other_apart_by_hand() -> None:
    points = torch.tensor([[0.0, 0.0, 0.0], [0.5, 0.0, 0.25]])
    normals = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    weight = float(torch.tensor(-0.3125).exp())  # at inverse squared length 1
    moved = repulsion(points, normals, torch.tensor([[1], [0]]), 1.0)
    expected = 0.5 * (1 + weight)
    torch.testing.assert_close(moved, torch.tensor([[-expected, 0.0, 0.0], [expected, 0.0, 0.0]]))


def test_across_an_edge_only_the_own_plane_pushes_back() -> None:
    points = torch.tensor([[-0.1, 0.0, 0.0], [0.0, 0.0, -0.1]])  # on the two faces of an edge along y
    normals = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    neighbors = torch.tensor([[1], [0]])
    published = repulsion(points, normals, neighbors, 1.0)
    own = repulsion(points, normals, neighbors, 1.0, own_plane=True)
    assert published[0, 0] == 0
    assert published[0, 2] > 0
    assert own[0, 0] < 0
    assert own[0, 2] == 0


def test_without_neighbours_nothing_moves() -> None:
    points = torch.rand(4, 3)
    absent = torch.full((4, 3), -1)
    assert torch.equal(repulsion(points, points, absent, 1.0), torch.zeros(4, 3))


def test_shapes_are_checked() -> None:
    with pytest.raises(InputError, match=r"expected \(N, 3\)"):
        repulsion(torch.rand(4, 3), torch.rand(5, 3), torch.zeros((4, 2), dtype=torch.int64), 1.0)


def test_a_point_far_from_all_others_stays_finite() -> None:
    points = torch.tensor([[0.0, 0.0, 0.0], [0.25, 0.0, 0.0]])
    normals = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    exponents = torch.linspace(80, 110, 61).tolist()  # weights from 1e-35 through subnormal numbers to 0
    moved = [repulsion(points, normals, torch.tensor([[1], [0]]), exponent / 0.25**2) for exponent in exponents]
    assert max(float(each.abs().max()) for each in moved) <= 1.0
