"""Milliseconds of the grid encoding: python tests/benchmarks/grid_encoding.py

Six levels of two features. Targets on two cores: 4096 points with Jacobian 0.8, 8192 without 0.9, backward 1.2;
quadratic 1.5 times that.
"""

import itertools
import time
from collections.abc import Callable

import torch

from isopts.kernels.grid_encoding.layout import GridLayout, Interpolation
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
    columns = ("4096 with Jacobian", "8192 without", "backward of 4096")
    print(f"{'finest':>6} {'threads':>7} {'':<9} " + " ".join(f"{name:>18}" for name in columns))
    for finest, threads in itertools.product((64, 150), (1, 2)):
        set_threads(threads)
        for interpolation in ("linear", "quadratic"):
            times = " ".join(f"{time:>18.2f}" for time in _times(finest, interpolation))
            print(f"{finest:>6} {threads:>7} {interpolation:<9} {times}", flush=True)


def _times(finest: int, interpolation: Interpolation) -> tuple[float, float, float]:
    layout = GridLayout.build(6, 12, finest, 19, interpolation)
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
