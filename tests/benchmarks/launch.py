"""What a second thread gains: python tests/benchmarks/launch.py

Rows: the neighbour search over a prepared tree (irregular memory access) for clouds of several sizes. A launch on two
threads costs the waking of a thread, about 100 microseconds, so small ones gain nothing.
"""

import math
import time
from collections.abc import Callable

import torch

from isopts.kernels.launch import launch, set_threads
from isopts.kernels.neighbors.kernel import GROUP, SEARCH_TREE
from isopts.kernels.point_tree import build_point_tree


def best_milliseconds(run: Callable[[], None], repeats: int) -> tuple[float, float]:
    """Least times on one and on two threads, taken in turns so that other load on the machine meets both."""
    best = [math.inf, math.inf]
    for _ in range(repeats):
        for threads in (1, 2):
            set_threads(threads)
            begin = time.perf_counter()
            run()
            best[threads - 1] = min(best[threads - 1], 1e3 * (time.perf_counter() - begin))
    return best[0], best[1]


def search(count: int) -> Callable[[], None]:
    points = torch.nn.functional.normalize(torch.randn(count, 3, generator=torch.Generator().manual_seed(0)))
    tree = build_point_tree(points)
    results = torch.empty(count, 8, dtype=torch.int64), torch.empty(count, 8)
    arguments = [tree.points, tree.indices, 1, torch.inf, *tree, *results]
    return lambda: launch(SEARCH_TREE[4], -(-count // GROUP), arguments, points.device, grain=32)


def main() -> None:
    print(f"{'points':>9} {'1 thread':>11} {'2 threads':>11} {'gain':>6}")
    for count in (1_000, 5_000, 20_000, 100_000, 500_000):
        run = search(count)
        run()
        one, two = best_milliseconds(run, max(10, 500_000 // count))
        print(f"{count:>9,} {one:>8.2f} ms {two:>8.2f} ms {one / two:>5.2f}x")


if __name__ == "__main__":
    main()
