"""Milliseconds of a training step of each field: python tests/benchmarks/fields.py

A step is 4096 points with gradient, 8192 with value alone, backward and optimiser. The rows "torch" take the same
field through the definition, autograd and torch's Adam.
"""

import itertools
import time

import torch

from isopts.field.build import FieldConfig, build_field
from isopts.field.grid import GridConfig
from isopts.field.lazy_adam import LazyAdam
from isopts.geometry.fibonacci_directions import fibonacci_directions
from isopts.kernels.grid_decoder.reference import decode_reference
from isopts.kernels.launch import set_threads

GRIDS = {
    "linear 6 x 64": GridConfig(),
    "quadratic 6 x 64": GridConfig(interpolation="quadratic"),
    "quadratic 4 x 64": GridConfig(interpolation="quadratic", levels=4),
    "linear 6 x 150": GridConfig(finest_resolution=150),
    "quadratic 4 x 150": GridConfig(interpolation="quadratic", levels=4, finest_resolution=150),
}


def main() -> None:
    print(f"{'field':<22} {'kernel threads':>14} {'fastest':>8} {'median':>8}")
    for name, threads in itertools.product(GRIDS, (1, 2)):
        _report(name, FieldConfig(grid=GRIDS[name]), threads, 60)
    _report("linear 6 x 64, torch", FieldConfig(), 2, 15, fused=False)
    _report("siren", FieldConfig(decoder="siren"), 2, 3, fused=False)


def _report(name: str, config: FieldConfig, threads: int, steps: int, fused: bool = True) -> None:
    torch.set_num_threads(1 if fused else threads)
    set_threads(threads)
    field = build_field(config, torch.Generator().manual_seed(0))
    if fused:
        field.accumulate_in_place = True
        optimizer = LazyAdam(field.parameters(), lr=1e-3)
    else:
        optimizer = torch.optim.Adam(field.parameters(), lr=1e-4)
    if not fused and config.decoder == "grid":
        _take_the_definition(field)
    times = sorted(_step(field, optimizer, step) for step in range(steps))
    print(f"{name:<22} {threads:>14} {1000 * times[0]:>8.1f} {1000 * times[len(times) // 2]:>8.1f}", flush=True)


def _take_the_definition(field: torch.nn.Module) -> None:
    weights = (field.table, field.input_weights, field.output_weights, field.output_bias)
    field.value = lambda points: decode_reference(points, *weights, field.layout, False)[0]
    field.value_and_gradient = lambda points: decode_reference(points, *weights, field.layout, True)


def _step(field: torch.nn.Module, optimizer: torch.optim.Optimizer, step: int) -> float:
    """Seconds of one step: points near a sphere, and points anywhere."""
    generator = torch.Generator().manual_seed(step)
    near = 0.6 * fibonacci_directions(4096) + 0.02 * torch.randn((4096, 3), generator=generator)
    anywhere = torch.rand((8192, 3), generator=generator) * 1.8 - 0.9
    start = time.perf_counter()
    value, gradient = field.value_and_gradient(near)
    loss = value.abs().mean() + ((gradient.norm(dim=1) - 1) ** 2).mean()
    loss = loss + torch.relu(0.1 - field.value(anywhere)).mean()
    if not isinstance(optimizer, LazyAdam):
        optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
