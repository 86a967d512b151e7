"""Farthest-point sampling of surfaces: python tests/benchmarks/farthest_points.py

The reference is timed for the smallest case only: it takes a pass over all points for each sample.
"""

import importlib.util
import time

import torch

from isopts.kernels.farthest_points import farthest_points


def seconds(points: torch.Tensor, count: int, backend: str) -> float:
    begin = time.perf_counter()
    farthest_points(points, count, backend=backend)
    return time.perf_counter() - begin


def main() -> None:
    torch.set_num_threads(min(2, torch.get_num_threads()))
    optional = [name for name in ("torch_cluster", "pytorch3d") if importlib.util.find_spec(name)]
    farthest_points(torch.rand(100, 3), 10)
    print(f"{'points':>10} {'samples':>8} {'backend':>14} {'time':>10}")
    for points, count in ((20_000, 1_000), (100_000, 5_000), (1_000_000, 5_000), (1_000_000, 50_000)):
        cloud = torch.nn.functional.normalize(torch.randn(points, 3, generator=torch.Generator().manual_seed(0)))
        backends = ["warp", *(["reference", *optional] if points == 20_000 else [])]
        for backend in backends:
            best = min(seconds(cloud, count, backend) for _ in range(3))
            print(f"{points:>10,} {count:>8,} {backend:>14} {best:>8.3f} s", flush=True)


if __name__ == "__main__":
    main()
