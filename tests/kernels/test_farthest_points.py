"""Farthest-point sampling against its definition, and what is true of its samples."""

import math
import sys
from types import ModuleType

import pytest
import torch

from isopts.errors import BackendError, InputError
from isopts.kernels.farthest_points import farthest_points


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_the_definition(hard_cloud: torch.Tensor, dtype: torch.dtype) -> None:
    points = hard_cloud.to(dtype)
    for count, start in ((len(points), 0), (len(points) // 3, len(points) // 2)):
        found = farthest_points(points, count, start, backend="warp")
        assert torch.equal(found, farthest_points(points, count, start, backend="reference"))
        assert len(found.unique()) == count


def test_first_samples_of_a_line(device: torch.device) -> None:
    points = torch.zeros(11, 3, device=device)
    points[:, 1] = torch.arange(11)
    assert farthest_points(points, 6, start=3).tolist() == [3, 10, 0, 6, 8, 1]  # 1, 2, 4 ... are equally far at last


def test_equal_points_follow_in_order(device: torch.device) -> None:
    assert farthest_points(torch.ones(40, 3, device=device), 5, start=2).tolist() == [2, 0, 1, 3, 4]


def test_samples_cover_and_keep_apart(device: torch.device) -> None:
    points = torch.rand(3000, 3, generator=torch.Generator().manual_seed(0)).to(device)
    samples = points[farthest_points(points, 100)]
    apart = torch.cdist(samples, samples).fill_diagonal_(torch.inf).min()
    assert torch.cdist(points, samples).min(dim=1).values.max() <= apart + 1e-6
    fewer = farthest_points(points, 40)
    assert torch.equal(fewer, farthest_points(points, 100)[:40])


def test_none(device: torch.device) -> None:
    assert farthest_points(torch.zeros(0, 3, device=device), 0).shape == (0,)


def test_wrong_arguments() -> None:
    points = torch.rand(4, 3)
    with pytest.raises(InputError, match="count is 5; expected 0 to the number of points, 4"):
        farthest_points(points, 5)
    with pytest.raises(InputError, match="start is 4"):
        farthest_points(points, 1, start=4)
    with pytest.raises(InputError, match=r"points is \(4,\)"):
        farthest_points(points[:, 0], 1)
    with pytest.raises(InputError, match="not finite"):
        farthest_points(points * torch.nan, 1)
    with pytest.raises(BackendError, match="no backend 'frnn'"):
        farthest_points(points, 1, backend="frnn")


# Optional backends: the real ones where they can be imported, and always stand-ins with the documented interface.


@pytest.mark.parametrize("backend", ["torch_cluster", "pytorch3d"])
def test_absent_backend_says_what_to_do(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, backend, None)
    monkeypatch.setitem(sys.modules, f"{backend}.ops", None)
    with pytest.raises(BackendError, match=rf"backend '{backend}' cannot be imported .* or use 'auto'"):
        farthest_points(torch.zeros(1, 3), 1, backend=backend)


@pytest.mark.parametrize("backend", ["torch_cluster", "pytorch3d"])
def test_real_backend(backend: str, device: torch.device) -> None:
    pytest.importorskip(backend)
    assert_backend_agrees(backend, device)


def assert_backend_agrees(backend: str, device: torch.device) -> None:
    points = torch.rand(300, 3, generator=torch.Generator().manual_seed(0)).to(device)
    for cloud in (points, points.double() + 50.0, points[:9].repeat(3, 1), points[:1]):
        for count in {1, len(cloud) // 2 + 1, len(cloud)}:
            start = len(cloud) // 3
            expected = farthest_points(cloud, count, start)
            assert torch.equal(farthest_points(cloud, count, start, backend=backend), expected)


def plain_farthest_points(points: torch.Tensor, count: int) -> torch.Tensor:
    """From the first point on, without care for equal points, as both libraries do."""
    distances, selected = torch.full((len(points),), torch.inf), [0]
    for _ in range(count - 1):
        distances = torch.minimum(distances, (points - points[selected[-1]]).square().sum(1))
        selected.append(int(distances.argmax()))
    return torch.tensor(selected)


def test_torch_cluster_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("torch_cluster")

    def fps(src, batch=None, ratio=None, random_start=True, batch_size=None, ptr=None):
        assert 0 < ratio <= 1
        assert not random_start
        return plain_farthest_points(src, math.ceil(ratio * len(src)))

    module.fps = fps
    monkeypatch.setitem(sys.modules, "torch_cluster", module)
    assert_backend_agrees("torch_cluster", torch.device("cpu"))


def test_pytorch3d_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("pytorch3d.ops")

    def sample_farthest_points(points, lengths=None, K=50, random_start_point=False):
        assert points.dtype == torch.float32
        assert not random_start_point
        selected = plain_farthest_points(points[0], K)
        return points[:, selected], selected[None]

    module.sample_farthest_points = sample_farthest_points
    monkeypatch.setitem(sys.modules, "pytorch3d", ModuleType("pytorch3d"))
    monkeypatch.setitem(sys.modules, "pytorch3d.ops", module)
    assert_backend_agrees("pytorch3d", torch.device("cpu"))
