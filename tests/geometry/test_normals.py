import math

import pytest
import torch

from isopts.geometry.normals import estimate_normals, local_planes
from isopts.geometry.spacing import areas, nearest_distances


def on_sphere(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(4)
    return torch.nn.functional.normalize(torch.randn((count, 3), generator=generator), dim=1)


def test_normals_of_a_sphere_are_radial() -> None:
    points = on_sphere(5000)
    normals = estimate_normals(points)
    torch.testing.assert_close(normals.norm(dim=1), torch.ones(5000))
    assert (normals * points).sum(dim=1).abs().min() > 0.995


def test_rotation_and_a_far_origin_rotate_the_normals() -> None:
    points = on_sphere(500).double()
    rotation = torch.linalg.qr(torch.randn((3, 3), generator=torch.Generator().manual_seed(1), dtype=torch.float64))[0]
    moved = points @ rotation.T + torch.tensor([4e5, 5e6, 100.0])
    expected = estimate_normals(points) @ rotation.T
    cosines = (estimate_normals(moved) * expected).sum(dim=1).abs()
    torch.testing.assert_close(cosines, torch.ones_like(cosines), atol=1e-6, rtol=0)


def test_a_plane_by_hand_with_absent_neighbours() -> None:
    points = torch.tensor([[0.0, 0.0, 1.0], [2.0, 0.0, 1.0], [0.0, 4.0, 1.0], [2.0, 4.0, 1.0], [9.0, 9.0, 9.0]])
    planes = local_planes(points, torch.tensor([[0, 1, 2, 3, -1]]))
    torch.testing.assert_close(planes.centers, torch.tensor([[1.0, 2.0, 1.0]]))
    torch.testing.assert_close(planes.normals.abs(), torch.tensor([[0.0, 0.0, 1.0]]))
    torch.testing.assert_close(planes.variances, torch.tensor([[0.0, 1.0, 4.0]]), atol=1e-6, rtol=0)


def test_areas_sum_to_the_surface() -> None:
    points = on_sphere(5000)
    assert float(areas(points).sum()) == pytest.approx(4 * math.pi, rel=0.03)
    assert float(areas(points, points).sum()) == pytest.approx(4 * math.pi, rel=0.03)


def test_the_other_side_of_a_wall_has_its_own_area() -> None:
    points = torch.rand((4000, 3), generator=torch.Generator().manual_seed(3))
    points[:, 2] = (points[:, 2] > 0.5) * 1e-3
    normals = torch.zeros_like(points)
    normals[:, 2] = (points[:, 2] > 0).float() * 2 - 1
    assert float(areas(points, normals).sum()) == pytest.approx(2, rel=0.1)
    assert float(areas(points).sum()) == pytest.approx(1, rel=0.1)


def test_nearest_distances_by_hand() -> None:
    points = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 3.0, 1.0], [0.0, 3.0, 1.0]])
    assert nearest_distances(points).tolist() == [1.0, 1.0, 0.0, 0.0]
    assert nearest_distances(points[:1]).tolist() == [math.inf]
