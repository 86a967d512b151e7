"""The dipole sum agrees with its definition, and tells inside from outside."""

import pytest
import torch

from isopts.errors import InputError
from isopts.kernels.winding_number import winding_number
from isopts.kernels.winding_number.reference import winding_number_reference


def sphere(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Points of the unit sphere and their normals times the area each stands for."""
    normals = torch.nn.functional.normalize(torch.randn(count, 3, generator=torch.Generator().manual_seed(seed)), dim=1)
    return normals, normals * (4 * torch.pi / count)


def random_cloud(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 3, generator=generator), torch.randn(count, 3, generator=generator) / count


@pytest.mark.parametrize("count", [1, 7, 8, 9, 33, 1000])
def test_exact_when_every_box_is_opened(count, device):
    points, area_normals = (tensor.to(device) for tensor in random_cloud(count))
    queries = 2 * torch.rand(57, 3, generator=torch.Generator().manual_seed(2)).to(device) - 0.5
    found = winding_number(queries, points, area_normals, softening=0.01, opening=1e6)
    expected = winding_number_reference(queries, points, area_normals, softening=0.01)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_far_boxes_as_dipoles_stay_close(device):
    points, area_normals = (tensor.to(device) for tensor in sphere(20_000))
    queries = 3 * torch.rand(500, 3, generator=torch.Generator().manual_seed(2)).to(device) - 1.5
    found = winding_number(queries, points, area_normals, softening=0.05)
    expected = winding_number_reference(queries, points, area_normals, softening=0.05)
    assert (found - expected).abs().max() < 0.02


def test_inside_is_one_and_outside_is_zero(device):
    points, area_normals = (tensor.to(device) for tensor in sphere(20_000))
    queries = torch.tensor([[0.0, 0, 0], [0.6, 0.1, 0], [0, 1.6, 0], [5, 5, 5]], device=device)
    found = winding_number(queries, points, area_normals)
    torch.testing.assert_close(found.cpu(), torch.tensor([1.0, 1, 0, 0]), atol=0.02, rtol=0)


def test_empty_clouds_and_queries():
    points, area_normals = sphere(10)
    assert winding_number(points[:0], points, area_normals).shape == (0,)
    assert winding_number(points, points[:0], area_normals[:0]).tolist() == [0.0] * 10


def test_a_point_without_area_counts_nothing():
    points, area_normals = sphere(100)
    queries = torch.tensor([[0.3, 0.2, 0.1]])
    more = torch.cat((points, torch.zeros(1, 3))), torch.cat((area_normals, torch.zeros(1, 3)))
    found = winding_number(queries, *more, opening=1e6)
    torch.testing.assert_close(found, winding_number(queries, points, area_normals, opening=1e6))


def test_same_result_for_one_and_two_threads():
    points, area_normals = random_cloud(5000)
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(winding_number(points.repeat(2, 1), points, area_normals, softening=0.01))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*results)


def test_refuses_other_shapes():
    points, area_normals = sphere(10)
    with pytest.raises(InputError, match="queries is \\(10, 2\\)"):
        winding_number(points[:, :2], points, area_normals)
    with pytest.raises(InputError, match="10 points but 9 area_normals"):
        winding_number(points, points, area_normals[:9])
