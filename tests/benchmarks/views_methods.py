"""fit-mvr's ways to use colours and iso-points, at equal time: accuracy of the surface and of held-out images.

    python tests/benchmarks/views_methods.py -o figures                        # 1, 3, 6 minutes a run: a day
    python tests/benchmarks/views_methods.py -o figures --seconds 60 --seeds 1 --methods rays all
    python tests/benchmarks/views_methods.py -o figures --views FOLDER ...     # data sets with a reference.ply
    python tests/benchmarks/views_methods.py -o try --shapes skull --size 160 120 --seconds 5 10 --seeds 1  # minutes

Writes page.md: a table, a plot of accuracy against time (needs pip install '.[benchmark]') and pictures of the
surfaces, red where they are wrong. Run it on an idle machine: a budget is wall time. `--steps` gives steps instead, for
busy ones. Runs stay in the output folder; those that are there are not repeated.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

from views.page import Place, page
from views.pictures import accuracy_plot, error_picture

from isopts import __version__

PROGRAM = "from isopts.cli.app import main; main()"
COLORS_ALONE = ("losses.photo=0",)
METHODS = {
    "rays": (*COLORS_ALONE, "sampling.mode=rays"),
    "rays, IDR's tracer": (*COLORS_ALONE, "sampling.mode=rays", "sampling.tracer=sphere"),
    "isopoints": (*COLORS_ALONE, "sampling.mode=isopoints"),
    "importance, loss": (*COLORS_ALONE, "sampling.mode=importance", "isopoints.importance=loss"),
    "importance, curvature": (*COLORS_ALONE, "sampling.mode=importance", "isopoints.importance=curvature"),
    "photo-consistency": ("losses.color=0",),
    "all": (),
    "all, importance": ("sampling.mode=importance",),
    "all, importance, patches": ("sampling.mode=importance", "isopoints.importance=photo"),
}
BESIDE_THE_MESH = ("views", "iso-points", "preview")  # stages that a mesh does not wait for
Results = dict[tuple[str, str, float], list[dict[str, float]]]


def isopts(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"isopts {' '.join(arguments)}\n{done.stderr}")
    return done.stdout


def run_folder(views: Path, method: str, budget: float, seed: int, options: argparse.Namespace) -> Path:
    unit = "steps" if options.steps else "s"
    return options.output / f"{views.name}_{method.replace(', ', '_')}_{budget:g}{unit}_{seed}"


def measure(views: Path, method: str, budget: float, seed: int, options: argparse.Namespace) -> dict[str, float]:
    """One run and its figures."""
    run = run_folder(views, method, budget, seed, options)
    figures = run / "figures.json"
    if not figures.is_file():
        length = ("--set", f"fit.steps={budget:.0f}") if options.steps else ("--budget", f"{budget:g}")
        changes = [part for change in METHODS[method] for part in ("--set", change)]
        isopts("fit-mvr", str(views), "-o", str(run), "--overwrite", "--quiet", "--holdout", options.holdout,
               *length, "--seed", str(seed), "--threads", str(options.threads), *changes)  # fmt: skip
        report = json.loads(isopts("evaluate", str(run), "--json"))
        record = json.loads((run / "run.json").read_text())
        seconds = sum(each for stage, each in record["seconds"].items() if stage not in BESIDE_THE_MESH)
        found = {**report["predictions"][0]["figures"], "steps": record["step"], "seconds": seconds}
        figures.write_text(json.dumps(found, indent=2))
    if not (run / "error.png").is_file():
        side = options.toward, options.up, options.largest_error
        error_picture(run / "mesh.ply", views / "reference.ply", run / "error.png", *side)
    return json.loads(figures.read_text())


def write_page(results: Results, options: argparse.Namespace) -> None:
    output, unit = options.output, "steps" if options.steps else "s"
    plotted = importlib.util.find_spec("matplotlib") is not None
    for views in dict.fromkeys(views for views, _, _ in results) if plotted else ():
        part = {(method, budget): runs for (name, method, budget), runs in results.items() if name == views}
        accuracy_plot(part, "steps" if options.steps else "seconds", views, output / f"{views}_accuracy.png")

    def picture(place: Place) -> str:
        views, method, budget = place
        return (run_folder(Path(views), method, budget, 0, options) / "error.png").relative_to(output).as_posix()

    about = f"isopts {__version__}; threads: {options.threads or 'all idle ones'}; seeds: {options.seeds}."
    red = f"{100 * options.largest_error:g} % of its largest extent"
    (output / "page.md").write_text(page(results, unit, about, red, picture, plotted) + "\n")


def data_sets(options: argparse.Namespace) -> list[Path]:
    """Folders given, and shapes whose images are made here."""
    folders = list(options.views or [])
    for shape in options.shapes or ([] if folders else ["skull", "compressor"]):
        width, height = map(str, options.size)
        lights = ["--fixed-lights"] if options.fixed_lights else []
        folder = options.output / f"{shape}_{width}x{height}_views{'_fixed_lights' if lights else ''}"
        if not (folder / "cameras.npz").is_file():
            isopts("make-views", shape, "-o", str(folder), "--size", width, height, *lights, "--overwrite", "--quiet")
        folders.append(folder)
    return folders


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--views", type=Path, nargs="+", metavar="FOLDER", help="posed images with a reference.ply")
    parser.add_argument("--shapes", nargs="+", help="make images of these; without --views: skull and compressor")
    parser.add_argument("--size", type=int, nargs=2, default=[640, 480], help="of images that are made")
    parser.add_argument(
        "--fixed-lights",
        action="store_true",
        help="of images that are made; else every image has its own, as is harder",
    )
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seconds", type=float, nargs="+", default=[60.0, 180.0, 360.0], help="from command to mesh")
    parser.add_argument("--steps", type=int, nargs="+", help="instead of seconds")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--holdout", default="3,20,35", help="views that are not fitted")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--toward", type=float, nargs=3, default=[0.4, 1.0, 0.2], help="from the object to the eye")
    parser.add_argument("--up", type=float, nargs=3, default=[0.0, 0.0, 1.0], help="upwards in the pictures")
    parser.add_argument("--largest-error", type=float, default=0.01, help="all red; share of the largest extent")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    results: Results = {}
    for views in data_sets(options):
        for budget in options.steps or options.seconds:
            for method in options.methods:
                runs = results.setdefault((views.name, method, float(budget)), [])
                for seed in range(options.seeds):
                    runs.append(measure(views, method, budget, seed, options))
                    write_page(results, options)
    print((options.output / "page.md").read_text())


if __name__ == "__main__":
    main()
