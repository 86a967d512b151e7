"""Time and memory of mesh extraction from a grid field, and of the figures that compare two such meshes.

Run it alone on the machine: python tests/benchmarks/mesh.py [CHECKPOINT]
Without a checkpoint the field is a sphere whose features are random, so that its surface is bumpy.
"""

import resource
import sys
import time
from pathlib import Path

import torch

from isopts.evaluate.report import EvaluationConfig, evaluate
from isopts.field.build import Field, FieldConfig, build_field
from isopts.fit.fitted.fitted_field import FittedField
from isopts.mesh.extract import MeshConfig, extract_mesh
from isopts.render.preview import render_preview


def bumpy_sphere() -> Field:
    generator = torch.Generator().manual_seed(1)
    field = build_field(FieldConfig(), generator)
    with torch.no_grad():
        field.input_weights[:, 3:] = torch.randn(field.input_weights[:, 3:].shape, generator=generator) * 0.1
        field.table.copy_(torch.randn(field.table.shape, generator=generator) * 0.01)
    return field


def main() -> None:
    """Print a table; seconds are the least of three runs."""
    field = FittedField.load(Path(sys.argv[1]), torch.device("cpu")).field if len(sys.argv) > 1 else bumpy_sphere()
    meshes = {}
    print("resolution  evaluations  vertices  seconds  peak GB")
    for resolution in (128, 256, 512):
        points: list[int] = []

        def counting(at: torch.Tensor, points: list[int] = points) -> torch.Tensor:
            points.append(len(at))
            return field.value(at)

        seconds = []
        for _ in range(3):
            points.clear()
            started = time.perf_counter()
            mesh = extract_mesh(counting, field.value_and_gradient, MeshConfig(resolution=resolution))
            seconds.append(time.perf_counter() - started)
        meshes[resolution] = mesh
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{resolution:10} {sum(points):12,} {len(mesh.vertices):9,} {min(seconds):8.2f} {peak:8.2f}")
    for name, job in {
        "evaluate 128 against 512": lambda: evaluate(meshes[128], meshes[512], EvaluationConfig()),
        "preview of 256": lambda: render_preview(meshes[256]),
    }.items():
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            job()
            seconds.append(time.perf_counter() - started)
        print(f"{name}: {min(seconds):.2f} s")


if __name__ == "__main__":
    main()
