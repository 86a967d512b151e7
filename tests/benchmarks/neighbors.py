"""Eight nearest neighbours of every point of a surface: python tests/benchmarks/neighbors.py [points] [interpreter]

Each time includes building the search structure. Open3D is timed by the given interpreter (default: this one) when it
can import open3d; its hybrid search gets a radius in which nearly every point has eight neighbours.
"""

import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy.spatial import cKDTree

from isopts.kernels.neighbors import fixed_radius_neighbors, nearest_neighbors

K = 8
OPEN3D = """
import sys, time
import numpy as np
import open3d.core as o3c
points = o3c.Tensor(np.load(sys.argv[1]))
times = []
for _ in range(3):
    begin = time.perf_counter()
    search = o3c.nns.NearestNeighborSearch(points)
    search.hybrid_index(float(sys.argv[2]))
    search.hybrid_search(points, float(sys.argv[2]), 8)
    times.append(time.perf_counter() - begin)
print(min(times))
"""


def surface(count: int) -> torch.Tensor:
    """Random points of a bumpy sphere with a little noise (count, 3) float32."""
    generator = torch.Generator().manual_seed(0)
    points = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator))
    points = points * (1 + 0.2 * torch.sin(5 * points[:, :1]) * torch.cos(4 * points[:, 1:2]))
    return points + 2e-4 * torch.randn(count, 3, generator=generator)


def best_seconds(run: Callable[[], object], repeats: int = 3) -> float:
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)


def open3d_seconds(python: str, points: torch.Tensor, radius: float) -> float | None:
    import tempfile

    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, points.numpy())
        file.flush()
        command = [python, "-c", OPEN3D, file.name, str(radius)]
        environment = {"OMP_NUM_THREADS": "2", "PATH": "/usr/bin:/bin"}
        result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    return float(result.stdout.split()[-1]) if result.returncode == 0 else None


def report(name: str, seconds: float) -> None:
    print(f"{name:<44} {seconds:>8.3f} s", flush=True)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    python = sys.argv[2] if len(sys.argv) > 2 else sys.executable
    points = surface(count)
    radius = 2.2 * (4 * np.pi * 1.1 / count) ** 0.5
    nearest_neighbors(points[:100], points[:100], K)
    print(f"{count:,} points, {K} neighbours each")
    for threads in (1, 2):
        torch.set_num_threads(threads)
        suffix = f"{threads} thread{'s' if threads > 1 else ''}"
        report(f"nearest_neighbors, {suffix}", best_seconds(lambda: nearest_neighbors(points, points, K)))
        inside = best_seconds(lambda: fixed_radius_neighbors(points, points, radius, K))
        report(f"fixed_radius_neighbors, {suffix}", inside)
    array = points.numpy()
    report("scipy cKDTree(workers=2)", best_seconds(lambda: cKDTree(array).query(array, K, workers=2), 2))
    seconds = open3d_seconds(python, points, radius)
    if seconds is None:
        print("Open3D: not importable here; name an interpreter that has it as the second argument")
    else:
        report("Open3D hybrid search", seconds)


if __name__ == "__main__":
    main()
