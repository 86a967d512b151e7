"""Milliseconds of the grid encoding: python tests/benchmarks/grid_encoding.py

Six levels of two features. Targets on two cores: 4096 points with Jacobian 0.8, 8192 without 0.9, backward 1.2.
"""

import itertools
import time
from collections.abc import Callable

import torch

from isopts.kernels.grid_encoding.layout import GridLayout
from isopts.kernels.grid_encoding.op import encode
from isopts.kernels.launch import set_threads


def milliseconds(function: Callable[[], object], repeats: int = 40) -> float:
    """The fastest of `repeats` calls, in wall time: other processes only ever add."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return 1000 * best


def main() -> None:
    torch.set_num_threads(1)
    print(f"{'finest':>6} {'threads':>7} {'4096 with Jacobian':>18} {'8192 without':>12} {'backward of 4096':>16}")
    for finest, threads in itertools.product((64, 96), (1, 2)):
        set_threads(threads)
        with_jacobian, without, backward = _times(finest)
        print(f"{finest:>6} {threads:>7} {with_jacobian:>18.2f} {without:>12.2f} {backward:>16.2f}")


def _times(finest: int) -> tuple[float, float, float]:
    layout = GridLayout.build(levels=6, base_resolution=12, finest_resolution=finest, log2_table_size=19)
    generator = torch.Generator().manual_seed(0)
    table = torch.randn((layout.entries, 2), generator=generator).requires_grad_()
    points = torch.rand((8192, 3), generator=generator) * 1.6 - 0.8
    outputs = encode(points[:4096], table, layout, True)
    ones = tuple(torch.ones_like(output) for output in outputs)
    with torch.no_grad():
        with_jacobian = milliseconds(lambda: encode(points[:4096], table, layout, True))
        without = milliseconds(lambda: encode(points, table, layout))
    return with_jacobian, without, milliseconds(lambda: torch.autograd.grad(outputs, table, ones, retain_graph=True))


if __name__ == "__main__":
    main()
