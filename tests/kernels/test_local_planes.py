"""The planes agree with float64 eigen-decompositions, also where a plane is not determined."""

import pytest
import torch

from isopts.errors import InputError
from isopts.kernels.local_planes import LocalPlanes, local_planes
from isopts.kernels.neighbors import nearest_neighbors


def assert_same_planes(found: LocalPlanes, expected: LocalPlanes, scale: float) -> None:
    """Normals are compared where the smallest variance stands out; elsewhere any direction will do."""
    close = {"rtol": 1e-6, "atol": 1e-12 * scale**2}
    torch.testing.assert_close(found.centers, expected.centers, rtol=1e-6, atol=1e-9 * scale)
    torch.testing.assert_close(found.variances, expected.variances, **close)
    torch.testing.assert_close(found.normals.norm(dim=1), torch.ones_like(found.normals[:, 0]))
    distinct = expected.variances[:, 1] > 1.01 * expected.variances[:, 0] + 1e-9 * scale**2
    cosines = (found.normals * expected.normals)[distinct].sum(dim=1).abs()
    torch.testing.assert_close(cosines, torch.ones_like(cosines), atol=1e-5, rtol=0)


@pytest.mark.parametrize("k", [1, 2, 3, 17])
def test_hard_clouds_as_defined(hard_cloud: torch.Tensor, k: int) -> None:
    neighbors = nearest_neighbors(hard_cloud, hard_cloud, k).indices
    expected = local_planes(hard_cloud, neighbors, backend="reference")
    assert_same_planes(local_planes(hard_cloud, neighbors), expected, float(hard_cloud.abs().max()))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_flat_patches_far_away_keep_their_digits(dtype: torch.dtype, device: torch.device) -> None:
    generator = torch.Generator().manual_seed(0)
    flat = torch.randn((500, 3), generator=generator, dtype=torch.float64) * torch.tensor([1.0, 0.5, 1e-4])
    rotation = torch.linalg.qr(torch.randn((3, 3), generator=generator, dtype=torch.float64))[0]
    points = (1000 + flat @ rotation.T).to(dtype)
    planes = local_planes(points.to(device), torch.arange(500, device=device)[None])
    offsets = points.double() - points.double().mean(dim=0)
    values, vectors = torch.linalg.eigh(offsets.T @ offsets / 500)
    torch.testing.assert_close(planes.variances.cpu()[0], values.to(dtype), rtol=1e-5, atol=0)
    assert float((planes.normals.cpu()[0].double() * vectors[:, 0]).sum().abs()) > 1 - 1e-7


def test_normal_is_across_a_line_and_unit_in_a_point(device: torch.device) -> None:
    points = torch.tensor([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [4.0, 5.0, 6.0], [1.0, 2.0, 3.0]], device=device)
    planes = local_planes(points, torch.tensor([[0, 1, 2, -1], [0, 3, 0, 0], [-1, -1, -1, -1]], device=device))
    torch.testing.assert_close(planes.normals.norm(dim=1), torch.ones(3, device=device))
    assert abs(float(planes.normals[0].sum())) < 1e-6
    torch.testing.assert_close(planes.variances[:, :2], torch.zeros((3, 2), device=device), atol=1e-6, rtol=0)
    assert float(planes.variances[0, 2]) == pytest.approx(14 / 3)  # squared offsets 16, 1 and 25 thirds
    assert planes.centers[1].tolist() == [1.0, 2.0, 3.0]
    assert planes.centers[2].tolist() == [0.0, 0.0, 0.0]


def test_same_result_for_one_and_two_threads() -> None:
    points = torch.rand(5000, 3, generator=torch.Generator().manual_seed(1))
    neighbors = torch.randint(0, 5000, (20000, 8), generator=torch.Generator().manual_seed(2))
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(torch.stack(local_planes(points, neighbors)))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*results)


def test_nothing_asked_nothing_found() -> None:
    planes = local_planes(torch.rand(0, 3), torch.zeros((0, 4), dtype=torch.int64))
    assert [part.shape for part in planes] == [(0, 3)] * 3


def test_refuses_other_shapes() -> None:
    with pytest.raises(InputError, match=r"points is \(4, 2\)"):
        local_planes(torch.rand(4, 2), torch.zeros((1, 1), dtype=torch.int64))
    with pytest.raises(InputError, match=r"neighbors is \(3,\)"):
        local_planes(torch.rand(4, 3), torch.zeros(3, dtype=torch.int64))
