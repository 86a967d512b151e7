"""fit-mvr's ways to use colours and iso-points, at equal wall time: accuracy of the surface and of held-out images.

    python tests/benchmarks/views_methods.py -o figures                        # 5 and 10 minutes a run: 3 hours
    python tests/benchmarks/views_methods.py -o figures --seconds 60 --methods rays isopoints
    python tests/benchmarks/views_methods.py -o figures --views FOLDER ...     # data sets with a reference.ply

Run it on an idle machine: a budget is wall time. Runs stay in the output folder; those that are there are not repeated.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

PROGRAM = "from isopts.cli.app import main; main()"
COLORS_ALONE = ("losses.photo=0",)
METHODS = {
    "rays": (*COLORS_ALONE, "sampling.mode=rays"),
    "isopoints": (*COLORS_ALONE, "sampling.mode=isopoints"),
    "importance, loss": (*COLORS_ALONE, "sampling.mode=importance", "isopoints.importance=loss"),
    "importance, curvature": (*COLORS_ALONE, "sampling.mode=importance", "isopoints.importance=curvature"),
    "photo-consistency": ("losses.color=0",),
    "all": (),
    "all, importance": ("sampling.mode=importance",),
}
FIGURES = {
    "chamfer_l1_mean": ("chamfer", 1.0),
    "normal_consistency": ("normals", 1.0),
    "psnr_heldout_mean": ("PSNR", 1.0),
    "mask_iou_mean": ("mask IoU", 1.0),
}


def isopts(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"isopts {' '.join(arguments)}\n{done.stderr}")
    return done.stdout


def measure(views: Path, method: str, seconds: float, seed: int, folder: Path) -> dict[str, float]:
    """One run and its figures."""
    run = folder / f"{views.name}_{method.replace(', ', '_')}_{seconds:g}s_{seed}"
    figures = run / "figures.json"
    if not figures.is_file():
        changes = [part for change in METHODS[method] for part in ("--set", change)]
        isopts("fit-mvr", str(views), "-o", str(run), "--overwrite", "--quiet", "--holdout", "3,20,35",
               "--budget", f"{seconds:g}", "--seed", str(seed), *changes)  # fmt: skip
        report = json.loads(isopts("evaluate", str(run), "--json"))
        record = json.loads((run / "run.json").read_text())
        found = {**report["predictions"][0]["figures"], "steps": record["step"]}
        figures.write_text(json.dumps(found, indent=2))
    return json.loads(figures.read_text())


def table(results: dict[tuple[str, str, float], list[dict[str, float]]]) -> str:
    """Markdown: the median over the seeds."""
    lines = ["| views | method | seconds | " + " | ".join(name for name, _ in FIGURES.values()) + " | steps |"]
    lines.append("|" + "---|" * (4 + len(FIGURES)))
    for (views, method, seconds), runs in results.items():
        cells = []
        for figure in (*FIGURES, "steps"):
            values = sorted(run[figure] for run in runs if run.get(figure) is not None)
            cells.append(f"{values[len(values) // 2]:.4g}" if values else "-")
        lines.append(f"| {views} | {method} | {seconds:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--views", type=Path, nargs="+", help="default: compressor, made here, and nefertiti_textured")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    parser.add_argument("--seconds", type=float, nargs="+", default=[300.0, 600.0])
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    folders = options.views
    if folders is None:
        compressor = options.output / "compressor"
        if not (compressor / "cameras.npz").is_file():
            isopts("make-views", "compressor", "-o", str(compressor))
        shared = Path(__file__).parents[3] / "shared" / "data" / "views" / "nefertiti_textured"
        folders = [compressor, *([shared] if shared.is_dir() else [])]
    results: dict[tuple[str, str, float], list[dict[str, float]]] = {}
    for views in folders:
        for seconds in options.seconds:
            for method in options.methods:
                runs = results.setdefault((views.name, method, seconds), [])
                for seed in range(options.seeds):
                    runs.append(measure(views, method, seconds, seed, options.output))
                    (options.output / "methods.md").write_text(table(results) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
