"""Iso-points: how evenly each method spreads them, and how long it takes.

    python tests/benchmarks/isopoints.py [CHECKPOINT OR RUN FOLDER]

Without a checkpoint the surface is a torus with an exact distance.
"""

import argparse
import math
import time
from pathlib import Path

import torch

from isopts.fit.fitted.fitted_field import FittedField
from isopts.isopoints.edge_aware import EdgeAwareConfig
from isopts.isopoints.extract import IsoPointsConfig, extract_isopoints
from isopts.isopoints.project import ValueAndGradient
from isopts.isopoints.resample import ResampleConfig

PAPER = ResampleConfig(form="paper", iterations=5, k=16, refresh_every=2)
METHODS = {
    "uniform": IsoPointsConfig(),
    "uniform, not resampled": IsoPointsConfig(resample=ResampleConfig(iterations=0)),
    "uniform, 5 iterations": IsoPointsConfig(resample=ResampleConfig(iterations=5)),
    "paper": IsoPointsConfig(method="paper", resample=PAPER),
    "released": IsoPointsConfig(method="released"),
    "edge-aware": IsoPointsConfig(edge_aware=EdgeAwareConfig()),
}


def torus(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    around = points[:, :2].norm(dim=1).clamp_min(1e-12)
    across = torch.stack([around - 0.5, points[:, 2]], dim=1)
    length = across.norm(dim=1).clamp_min(1e-12)
    across = across / length[:, None]
    return length - 0.2, torch.cat([points[:, :2] / around[:, None] * across[:, :1], across[:, 1:]], dim=1)


def measure(name: str, field: ValueAndGradient, count: int, seeds: torch.Tensor | None = None) -> torch.Tensor:
    seconds = math.inf
    for _ in range(2):
        generator = torch.Generator().manual_seed(0)
        started = time.perf_counter()
        found = extract_isopoints(field, count, METHODS[name], seeds=seeds, generator=generator)
        seconds = min(seconds, time.perf_counter() - started)
    quality = found.quality
    label = name if seeds is None else f"{name}, from seeds"
    print(
        f"{label:24} {quality.count:8} {seconds:7.2f} {quality.residual_max:9.1e} {quality.spacing_variation:9.3f} "
        f"{quality.largest_hole:6.2f} {100 * quality.unconverged:7.2f} %"
    )
    return found.points


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint", nargs="?", type=Path)
    parser.add_argument("--million", action="store_true", help="also a million points")
    options = parser.parse_args()
    torch.set_num_threads(min(2, torch.get_num_threads()))
    field = torus
    if options.checkpoint is not None:
        field = FittedField.load(options.checkpoint, torch.device("cpu")).field.value_and_gradient
    print(f"{'method':24} {'points':>8} {'seconds':>7} {'max |f|':>9} {'variation':>9} {'hole':>6} {'unconverged':>9}")
    for name in METHODS:
        measure(name, field, 20_000)
    measure("uniform", field, 100_000)
    few = measure("uniform", field, 8_000)
    measure("uniform", field, 8_000, few)
    if options.million:
        measure("uniform", field, 1_000_000)


if __name__ == "__main__":
    main()
