"""From a cloud's file to a mesh's file: isopts as a user starts it, and Open3D's Poisson."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

from isopts.data.meshes import read_mesh
from isopts.errors import InputError
from isopts.evaluate.metrics import Figures
from isopts.evaluate.report import EvaluationConfig, evaluate
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.mesh.components import face_components
from points.clouds import Cloud
from points.results import Row

SAMPLES = 60_000  # of each surface
PROGRAM = "from isopts.cli.app import main; main()"
MESH_ONLY = ("--set", "output.preview=false", "--set", "output.isopoints=0")
"""The preview and the iso-points written at the end come after the mesh."""
_POISSON = Path(__file__).with_name("poisson.py")


@dataclass(frozen=True)
class Method:
    """name: `isopts ...` with the options of fit-points, or `poisson ...` with recipes of poisson.py, one row each."""

    name: str
    arguments: tuple[str, ...]

    @property
    def rows(self) -> tuple[str, ...]:
        """Names of the rows that a run gives."""
        return tuple(f"poisson {recipe}" for recipe in self.arguments) if self.name == "poisson" else (self.name,)


POISSON = Method("poisson", ("raw-8", "careful-7", "careful-8"))


def run_method(method: Method, cloud: Cloud, digest: str, folder: Path) -> Iterator[Row]:
    """One row for each of `method.rows`; the meshes are left in `folder`, under the names of the rows."""
    folder.mkdir(parents=True, exist_ok=True)
    command = _poisson_command if method.name == "poisson" else _isopts_command
    began = time.perf_counter()
    done = subprocess.run(command(cloud.path, folder, method.arguments), capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    for name in method.rows:
        row = Row(cloud.shape, cloud.level, name, digest, seconds)
        if done.returncode != 0:
            yield replace(row, failure=(done.stderr.strip() or "failed").splitlines()[-1])
            continue
        if method.name == "poisson":
            row = replace(row, seconds=json.loads(done.stdout)[name.removeprefix("poisson ")])
        else:
            shutil.move(folder / "run" / "mesh.ply", mesh_path(folder, name))
            record = json.loads((folder / "run" / "run.json").read_text(encoding="utf-8"))
            row = replace(row, stages=record["seconds"])
        yield _measured(row, mesh_path(folder, name), cloud.reference)


def mesh_path(folder: Path, row: str) -> Path:
    """Where `run_method` leaves the mesh of the row of this name."""
    return folder / f"{row.removeprefix('poisson ').replace(' ', '_')}.ply"


def cloud_digest(path: Path) -> str:
    """What tells whether a stored row is about this very file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def has_open3d() -> bool:
    return subprocess.run([sys.executable, "-c", "import open3d"], capture_output=True, check=False).returncode == 0


def sampling_noise(mesh: Path, reference: Path) -> tuple[float, float]:
    """Relative standard deviation of chamfer distance and of 1 - normal consistency over five seeds of the metric."""
    figures = [_figures(read_mesh(mesh), read_mesh(reference), seed) for seed in range(5)]
    chamfer = [entry["chamfer_l1_mean"] for entry in figures]
    roughness = [1 - entry["normal_consistency"] for entry in figures]
    return stdev(chamfer) / mean(chamfer), stdev(roughness) / mean(roughness)


def _isopts_command(cloud: Path, folder: Path, arguments: Sequence[str]) -> list[str]:
    program = [sys.executable, "-c", PROGRAM, "fit-points", str(cloud)]
    return [*program, "-o", str(folder / "run"), "--overwrite", "--quiet", *arguments]


def _poisson_command(cloud: Path, folder: Path, recipes: Sequence[str]) -> list[str]:
    return [sys.executable, str(_POISSON), str(cloud), str(folder), *recipes]


def _measured(row: Row, path: Path, reference: Path) -> Row:
    try:
        mesh = read_mesh(path, needs_faces=True)
        figures = _figures(mesh, read_mesh(reference), seed=0)
    except InputError as error:
        return replace(row, failure=str(error))
    return replace(
        row,
        chamfer=figures["chamfer_l1_mean"],
        roughness=1 - figures["normal_consistency"],
        flipped=figures["flipped_normals"],
        parts=int(face_components(mesh).max()) + 1,
        closed=mesh.is_closed(),
    )


def _figures(mesh: TriangleMesh, reference: TriangleMesh, seed: int) -> Figures:
    config = EvaluationConfig(metrics=("chamfer", "normals"), samples=SAMPLES, seed=seed)
    return evaluate(mesh, reference, config).figures
