"""What `fit-mvr --refine-cameras` makes good: the same views with true, with perturbed, and with refined cameras.

    python tests/benchmarks/refined_cameras.py FOLDER ... -o figures                  # folders with a reference.ply
    python tests/benchmarks/refined_cameras.py FOLDER -o figures --steps 1000 --seeds 0 1 2

Each camera is turned about a random axis through its centre, and its centre is moved in a random direction by a share
of its distance from the object (`--of radius`: of the object's region). Runs stay in the output folder; those that are
there are not repeated. Distances are divided by the region's radius and compared in the frame of the true cameras.
What the perturbations have in common is nowhere in the images and cannot be made good: `chamfer` has it, `aligned` is
without (the mesh is moved by the similarity that takes the run's cameras to the true ones, not by what would fit the
reference); `pixels` is what is left between both then, the mean over the views and places on the object.
"""

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from isopts.data.meshes import read_mesh, write_mesh
from isopts.geometry.projection_matrix import decompose_projection
from isopts.geometry.triangle_mesh import TriangleMesh

PROGRAM = "from isopts.cli.app import main; main()"
KINDS = ("true", "perturbed", "refined")


def isopts(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"isopts {' '.join(arguments)}\n{done.stderr}")
    return done.stdout


def region(matrices: dict[str, np.ndarray]) -> tuple[np.ndarray, float]:
    """Centre (3,) and radius of the sphere around the object."""
    scale = matrices["scale_mat_0"]
    return scale[:3, 3], float(scale[0, 0])


def directions(count: int, generator: np.random.Generator) -> np.ndarray:
    """(count, 3), of length 1."""
    drawn = generator.normal(size=(count, 3))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def perturbed(
    matrices: dict[str, np.ndarray], degrees: float, share: float, of: str, seed: int
) -> dict[str, np.ndarray]:
    """The same cameras, each turned by `degrees` and moved by `share` of its distance or of the region's radius."""
    center, radius = region(matrices)
    names = sorted(name for name in matrices if re.fullmatch(r"world_mat_\d+", name))
    generator = np.random.default_rng(seed)
    axes, moves = directions(len(names), generator), directions(len(names), generator)
    changed = dict(matrices)
    for name, axis, move in zip(names, axes, moves, strict=True):
        camera = decompose_projection(matrices[name][:3].astype(np.float64))
        length = np.linalg.norm(camera.center - center) if of == "distance" else radius
        rotation = Rotation.from_rotvec(np.radians(degrees) * axis).as_matrix() @ camera.rotation
        moved = camera.center + share * length * move
        world = np.eye(4)
        world[:3] = camera.intrinsics @ np.column_stack([rotation, -rotation @ moved])
        changed[name] = world
    return changed


def perturbed_folder(views: Path, folder: Path, options: argparse.Namespace, seed: int) -> Path:
    if not folder.is_dir():
        shutil.copytree(views, folder, ignore=shutil.ignore_patterns("depth"))
        with np.load(views / "cameras.npz") as stored:
            matrices = dict(stored)
        np.savez(folder / "cameras.npz", **perturbed(matrices, options.degrees, options.translation, options.of, seed))
    return folder


def projections(path: Path, names: list[str]) -> np.ndarray:
    """(V, 3, 4) of a cameras.npz."""
    with np.load(path) as stored:
        return np.stack([stored[name][:3].astype(np.float64) for name in names])


def project(matrices: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Pixels (V, N, 2)."""
    homogeneous = np.einsum("vij,nj->vni", matrices[..., :3], points) + matrices[:, None, :, 3]
    return homogeneous[..., :2] / homogeneous[..., 2:]


def common_motion(true: np.ndarray, found: np.ndarray, center: np.ndarray, radius: float) -> tuple[np.ndarray, float]:
    """The similarity (4, 4) that moves what `found` cameras see to where `true` ones would see it best, for places on
    the object, and the mean distance that is left, pixels."""
    places = center + 0.6 * radius * directions(200, np.random.default_rng(0))
    seen = project(found, places)

    def similarity(x: np.ndarray) -> np.ndarray:
        matrix = np.eye(4)
        matrix[:3, :3] = np.exp(x[6]) * Rotation.from_rotvec(x[:3]).as_matrix()
        matrix[:3, 3] = radius * x[3:6] + center - matrix[:3, :3] @ center
        return matrix

    def misses(x: np.ndarray) -> np.ndarray:
        matrix = similarity(x)
        return project(true, places @ matrix[:3, :3].T + matrix[:3, 3]) - seen

    best = least_squares(lambda x: misses(x).ravel(), np.zeros(7)).x
    return similarity(best), float(np.linalg.norm(misses(best), axis=2).mean())


def aligned(mesh: TriangleMesh, motion: np.ndarray) -> TriangleMesh:
    vertices = mesh.vertices @ motion[:3, :3].T + motion[:3, 3]
    return TriangleMesh(vertices, mesh.faces, mesh.normals)


def measure(views: Path, true: Path, run: Path, options: argparse.Namespace, flags: list[str]) -> dict:
    """One run and its figures. true: the views with the true cameras."""
    figures = run / "figures.json"
    if not (run / "metrics.json").is_file():
        changes = [part for change in options.set for part in ("--set", change)]
        isopts("fit-mvr", str(views), "-o", str(run), "--overwrite", "--quiet", "--threads", str(options.threads),
               "--set", f"fit.steps={options.steps}", *changes, *flags)  # fmt: skip
    if not figures.is_file():
        moved, reference = run / "aligned.ply", true / "reference.ply"
        with np.load(true / "cameras.npz") as stored:
            center, radius = region(dict(stored))
            names = [name for name in stored if re.fullmatch(r"world_mat_\d+", name)]
        own = run if (run / "cameras.npz").is_file() else views
        cameras = [projections(folder / "cameras.npz", names) for folder in (true, own)]
        motion, pixels = common_motion(*cameras, center, radius)
        write_mesh(moved, aligned(read_mesh(run / "mesh.ply"), motion))
        report = json.loads(isopts("evaluate", str(run / "mesh.ply"), str(moved), str(reference), "--json"))
        plain, in_place = (prediction["figures"] for prediction in report["predictions"])
        found = {
            "chamfer": 1e3 * plain["chamfer_l1_mean"] / radius,
            "aligned": 1e3 * in_place["chamfer_l1_mean"] / radius,
            "normals": plain["normal_consistency"],
            "pixels": pixels,
        }
        seconds = json.loads((run / "run.json").read_text())["seconds"]
        found["seconds"] = sum(value for name, value in seconds.items() if name != "start-up")
        figures.write_text(json.dumps(found, indent=2))
    return json.loads(figures.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("views", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--degrees", type=float, default=0.3)
    parser.add_argument("--translation", type=float, default=0.005, help="share of --of")
    parser.add_argument("--of", choices=("distance", "radius"), default="distance")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    print("| views | seed | cameras | chamfer, 1e-3 | aligned | normals | pixels | seconds | recovered |")
    print("|" + "---|" * 9)
    for views in options.views:
        for seed in options.seeds:
            compare(views, seed, options)


def compare(views: Path, seed: int, options: argparse.Namespace) -> None:
    """Rows of the table."""
    name = f"{views.name}_{options.degrees:g}_{options.translation:g}_{options.of}_{seed}"
    wrong = perturbed_folder(views, options.output / name, options, seed)
    found = {}
    for kind in options.kinds:
        run = options.output / (f"{views.name}_true" if kind == "true" else f"{name}_{kind}")
        flags = ["--refine-cameras"] if kind == "refined" else []
        found[kind] = figures = measure(views if kind == "true" else wrong, views, run, options, flags)
        share = ""
        if kind == "refined" and len(found) == len(KINDS):
            lost = found["perturbed"]["chamfer"] - found["true"]["chamfer"]
            share = f"{100 * (found['perturbed']['chamfer'] - figures['chamfer']) / lost:.0f} %"
        print(
            f"| {views.name} | {seed} | {kind} | {figures['chamfer']:.2f} | {figures['aligned']:.2f} "
            f"| {figures['normals']:.3f} | {figures['pixels']:.2f} | {figures['seconds']:.0f} | {share} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
