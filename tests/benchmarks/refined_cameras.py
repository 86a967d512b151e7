"""What `fit-mvr --refine-cameras` makes good: the same views with true, with perturbed, and with refined cameras.

    python tests/benchmarks/refined_cameras.py FOLDER ... -o figures                  # folders with a reference.ply
    python tests/benchmarks/refined_cameras.py FOLDER -o figures --steps 1000 --seeds 0 1 2

Each camera is turned about a random axis through its centre, and its centre is moved in a random direction by a share
of its distance from the object (`--of radius`: of the object's region). Runs stay in the output folder; those that are
there are not repeated. Distances are divided by the region's radius and compared in the frame of the true cameras,
without alignment: what the perturbations have in common is nowhere in the images and stays (`gauge`: how far the
cameras say that the object is from where it was, by the same measure).
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from isopts.geometry.projection_matrix import decompose_projection

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
    names = sorted(name for name in matrices if name.startswith("world_mat_") and "inv" not in name)
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


def measure(views: Path, reference: Path, run: Path, options: argparse.Namespace, flags: list[str]) -> dict:
    """One run, its distance to the reference in units of the region's radius, and its time."""
    figures = run / "figures.json"
    if not figures.is_file():
        changes = [part for change in options.set for part in ("--set", change)]
        isopts("fit-mvr", str(views), "-o", str(run), "--overwrite", "--quiet", "--threads", str(options.threads),
               "--set", f"fit.steps={options.steps}", *changes, *flags)  # fmt: skip
        report = json.loads(isopts("evaluate", str(run / "mesh.ply"), str(reference), "--json"))
        found = report["predictions"][0]["figures"]
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
    print("| views | seed | cameras | chamfer, 1e-3 | normals | seconds | recovered |\n|---|---|---|---|---|---|---|")
    for views in options.views:
        with np.load(views / "cameras.npz") as stored:
            _, radius = region(dict(stored))
        for seed in options.seeds:
            name = f"{views.name}_{options.degrees:g}_{options.translation:g}_{options.of}_{seed}"
            wrong = perturbed_folder(views, options.output / name, options, seed)
            chamfers = {}
            for kind in options.kinds:
                run = options.output / (f"{views.name}_true" if kind == "true" else f"{name}_{kind}")
                flags = ["--refine-cameras"] if kind == "refined" else []
                found = measure(views if kind == "true" else wrong, views / "reference.ply", run, options, flags)
                chamfers[kind] = 1e3 * found["chamfer_l1_mean"] / radius
                share = ""
                if kind == "refined" and len(chamfers) == len(KINDS):
                    lost = chamfers["perturbed"] - chamfers["true"]
                    share = f"{100 * (chamfers['perturbed'] - chamfers['refined']) / lost:.0f} %"
                print(
                    f"| {views.name} | {seed} | {kind} | {chamfers[kind]:.2f} | {found['normal_consistency']:.3f} "
                    f"| {found['seconds']:.0f} | {share} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
