"""The neighbour search against its definition, and what is true of neighbours."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch

from isopts.errors import BackendError, InputError
from isopts.kernels.neighbors import Neighbors, fixed_radius_neighbors, nearest_neighbors


def assert_same(found: Neighbors, expected: Neighbors) -> None:
    assert found.indices.dtype == torch.int64
    torch.testing.assert_close(found.squared_distances, expected.squared_distances, rtol=1e-6, atol=0)
    assert torch.equal(found.indices, expected.indices)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_of_its_own_points(hard_cloud: torch.Tensor, dtype: torch.dtype) -> None:
    points = hard_cloud.to(dtype)
    for k in (1, 8, 23):
        assert_same(nearest_neighbors(points, points, k), nearest_neighbors(points, points, k, backend="reference"))


def test_of_other_points(hard_cloud: torch.Tensor) -> None:
    points = hard_cloud
    size = points.amax(dim=0) - points.amin(dim=0) + 1.0
    generator = torch.Generator().manual_seed(3)
    places = torch.rand(101, 3, generator=generator).to(points) * 3 - 1  # two thirds of each axis outside
    queries = points.amin(dim=0) + places * size
    expected = nearest_neighbors(queries, points, 6, backend="reference")
    assert_same(nearest_neighbors(queries, points, 6), expected)


@pytest.mark.parametrize("radius", [0.0, 1.0, 1.5, 1e9])
def test_radius_is_inclusive_and_the_rest_is_padded(radius: float, device: torch.device) -> None:
    axis = torch.arange(7.0, device=device)
    points = torch.cartesian_prod(axis, axis, axis)
    found = fixed_radius_neighbors(points, points, radius, 12)
    assert_same(found, fixed_radius_neighbors(points, points, radius, 12, backend="reference"))
    inner = ((points > 0) & (points < 6)).all(dim=1)
    counts = {0.0: 1, 1.0: 7, 1.5: 12, 1e9: 12}  # itself; 6 faces; 12 edges, cut off
    assert set((found.indices >= 0).sum(dim=1)[inner].tolist()) == {counts[radius]}
    assert torch.equal(found.squared_distances == -1, found.indices == -1)


def test_a_point_finds_itself_first_and_equal_points_in_order(device: torch.device) -> None:
    points = torch.randn(50, 3, device=device).repeat(4, 1)
    found = nearest_neighbors(points, points, 4)
    expected = torch.arange(200, device=device)[:, None] % 50 + 50 * torch.arange(4, device=device)
    assert torch.equal(found.indices, expected)
    assert (found.squared_distances == 0).all()


def test_offset_in_float64_keeps_small_distances(device: torch.device) -> None:
    points = torch.randn(300, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).to(device)
    near = nearest_neighbors(points * 1e-3, points * 1e-3, 5)
    far = nearest_neighbors(points * 1e-3 + 5e6, points * 1e-3 + 5e6, 5)
    assert (near.indices == far.indices).float().mean() > 0.999
    torch.testing.assert_close(far.squared_distances.sqrt(), near.squared_distances.sqrt(), rtol=0, atol=1e-8)


def test_rotation_keeps_neighbors(device: torch.device) -> None:
    points = torch.randn(500, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).to(device)
    rotation = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))[0]
    rotated = points @ rotation.to(device)
    assert torch.equal(nearest_neighbors(rotated, rotated, 9).indices, nearest_neighbors(points, points, 9).indices)


def test_threads_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    points = torch.rand(20_000, 3, generator=torch.Generator().manual_seed(0))
    two = nearest_neighbors(points, points, 8)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    one = nearest_neighbors(points, points, 8)
    assert torch.equal(one.indices, two.indices)
    assert torch.equal(one.squared_distances, two.squared_distances)


def test_dense_cluster_with_far_points_is_not_quadratic() -> None:
    """10^5 points within 10^-8 of the cloud's size: brute force would take 10^10 distances, minutes."""
    generator = torch.Generator().manual_seed(0)
    cluster, far = torch.randn(100_000, 3, generator=generator) * 1e-4, torch.randn(100, 3, generator=generator) * 1e4
    points = torch.cat([cluster, far])
    found = nearest_neighbors(points, points, 8)
    some = torch.randint(0, len(points), (50,), generator=generator)
    expected = nearest_neighbors(points[some], points, 8, backend="reference")
    assert torch.equal(found.indices[some], expected.indices)


@pytest.mark.parametrize(("queries", "points"), [(0, 0), (0, 5), (5, 0)])
def test_empty(queries: int, points: int, device: torch.device) -> None:
    found = nearest_neighbors(torch.zeros(queries, 3, device=device), torch.zeros(points, 3, device=device), 4)
    assert found.indices.shape == found.squared_distances.shape == (queries, 4)
    assert (found.indices == -1).all()
    assert (found.squared_distances == -1).all()


def test_views_are_read_as_they_are(device: torch.device) -> None:
    square = torch.tensor([[0.0, 1.0, 2.0], [5.0, 0.0, 1.0], [9.0, 9.0, 0.0]], device=device)
    expected = nearest_neighbors(square.T.contiguous(), square.clone(), 3, backend="reference")
    assert_same(nearest_neighbors(square.T, square, 3), expected)


def test_wrong_arguments() -> None:
    points = torch.zeros(4, 3)
    with pytest.raises(InputError, match=r"points is \(4, 2\)"):
        nearest_neighbors(points, torch.zeros(4, 2), 1)
    with pytest.raises(InputError, match="same dtype"):
        nearest_neighbors(points, points.double(), 1)
    with pytest.raises(InputError, match="not finite"):
        nearest_neighbors(points, points / 0, 1)
    with pytest.raises(InputError, match="k is 0"):
        nearest_neighbors(points, points, 0)
    with pytest.raises(InputError, match="radius is nan"):
        fixed_radius_neighbors(points, points, float("nan"), 1)
    with pytest.raises(BackendError, match="no backend 'open3d'"):
        nearest_neighbors(points, points, 1, backend="open3d")


# Optional backends: the real ones where they can be imported, and always stand-ins with the documented interface.


@pytest.mark.parametrize("backend", ["frnn", "torch_cluster", "pytorch3d"])
def test_absent_backend_says_what_to_do(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, backend, None)
    monkeypatch.setitem(sys.modules, f"{backend}.ops", None)
    with pytest.raises(BackendError, match=rf"backend '{backend}' cannot be imported .* or use 'auto'"):
        nearest_neighbors(torch.zeros(1, 3), torch.zeros(1, 3), 1, backend=backend)


@pytest.mark.parametrize("backend", ["frnn", "torch_cluster", "pytorch3d"])
def test_real_backend(backend: str, device: torch.device) -> None:
    pytest.importorskip(backend)
    if backend == "frnn" and device.type != "cuda":
        pytest.skip("frnn works on CUDA only")
    assert_backend_agrees(backend, device)


def assert_backend_agrees(backend: str, device: torch.device) -> None:
    generator = torch.Generator().manual_seed(0)
    queries = torch.rand(60, 3, generator=generator).to(device)
    points = torch.rand(200, 3, generator=generator).to(device)
    for cloud in (points, points[:3], points.double() + 100.0):
        near = queries.to(cloud.dtype) + (100.0 if cloud.dtype == torch.float64 else 0.0)
        assert_same(nearest_neighbors(near, cloud, 5, backend=backend), nearest_neighbors(near, cloud, 5))
        for radius in (0.05, 0.2):
            expected = fixed_radius_neighbors(near, cloud, radius, 5)
            assert_same(fixed_radius_neighbors(near, cloud, radius, 5, backend=backend), expected)


def fake_torch_cluster() -> ModuleType:
    """knn(x, y, k): edges (2, E), row 0 the query in y, row 1 the point in x; here in no order."""
    module = ModuleType("torch_cluster")

    def knn(x: torch.Tensor, y: torch.Tensor, k: int, batch_x=None, batch_y=None, cosine=False) -> torch.Tensor:
        nearest = torch.cdist(y, x, compute_mode="donot_use_mm_for_euclid_dist").topk(min(k, len(x)), largest=False)[1]
        edges = torch.stack([torch.arange(len(y))[:, None].expand_as(nearest), nearest]).reshape(2, -1)
        return edges[:, torch.randperm(edges.shape[1], generator=torch.Generator().manual_seed(0))]

    module.knn = knn
    return module


def fake_pytorch3d() -> ModuleType:
    """knn_points(p1, p2, ..., K): named dists (squared), idx, knn, batched (B, P1, K), padded with zeros; float32."""
    module = ModuleType("pytorch3d.ops")

    def knn_points(p1, p2, lengths1=None, lengths2=None, norm=2, K=1, version=-1, return_nn=False, return_sorted=True):
        assert p1.dtype == p2.dtype == torch.float32
        distances = (p1[:, :, None] - p2[:, None]).square().sum(-1)
        dists, idx = distances.topk(min(K, p2.shape[1]), dim=2, largest=False)
        pad = (0, K - idx.shape[2])
        return SimpleNamespace(
            dists=torch.nn.functional.pad(dists, pad), idx=torch.nn.functional.pad(idx, pad), knn=None
        )

    module.knn_points = knn_points
    return module


def fake_frnn(calls: list[int]) -> ModuleType:
    """frnn_grid_points(points1, points2, ..., K, r, ...): dists, idxs, nn, grid; strictly inside r, padded with -1."""
    module = ModuleType("frnn")

    def frnn_grid_points(points1, points2, lengths1=None, lengths2=None, K=-1, r=-1.0, grid=None, return_nn=False):
        assert points1.dtype == points2.dtype == torch.float32
        assert isinstance(r, float)
        calls.append(points1.shape[1])
        distances = (points1[:, :, None] - points2[:, None]).square().sum(-1)
        dists, idxs = distances.topk(min(K, points2.shape[1]), dim=2, largest=False)
        outside = dists >= r * r
        return dists.masked_fill(outside, -1.0), idxs.masked_fill(outside, -1), None, None

    module.frnn_grid_points = frnn_grid_points
    return module


def test_torch_cluster_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch_cluster", fake_torch_cluster())
    assert_backend_agrees("torch_cluster", torch.device("cpu"))


def test_pytorch3d_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch3d", ModuleType("pytorch3d"))
    monkeypatch.setitem(sys.modules, "pytorch3d.ops", fake_pytorch3d())
    assert_backend_agrees("pytorch3d", torch.device("cpu"))


def test_frnn_needs_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "frnn", fake_frnn([]))
    with pytest.raises(BackendError, match="CUDA only"):
        nearest_neighbors(torch.zeros(1, 3), torch.zeros(1, 3), 1, backend="frnn")


def test_frnn_conversion_grows_the_radius_of_unfinished_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    from isopts.kernels.neighbors import frnn_backend

    calls: list[int] = []
    module = fake_frnn(calls)
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(200, 3, generator=generator)
    queries = torch.cat([points[:50], points[:3] + 4.0])
    found = frnn_backend.search_with_frnn(module, queries, points, float("inf"), 6)
    assert_same(found, nearest_neighbors(queries, points, 6))
    assert calls == sorted(calls, reverse=True)
    assert calls[-1] == 3
    for radius in (0.1, 0.3):
        found = frnn_backend.search_with_frnn(module, queries, points, radius, 6)
        assert_same(found, fixed_radius_neighbors(queries, points, radius, 6))
    equal = torch.ones(9, 3)
    assert_same(
        frnn_backend.search_with_frnn(module, equal, equal, float("inf"), 4), nearest_neighbors(equal, equal, 4)
    )
