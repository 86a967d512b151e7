"""From command to mesh: seconds of fit-points and of Poisson in one run, and of the paper's recipe, extrapolated."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from isopts.config import load_config
from isopts.fit.clouds.config import PointsConfig
from points.clouds import Cloud
from points.methods import MESH_ONLY, PROGRAM
from points.page import markdown_table

REPEATS = 2
PAPER_STEPS, PAPER_STEPS_FULL = 20, 200
_PAPER_WARM_UP = 5  # steps left out of the average
_POISSON = Path(__file__).with_name("poisson.py")


def speed_report(cloud: Cloud, full: bool) -> str:
    """Two tables in Markdown: commands with their seconds, and the stages of the default one.

    Args:
        full: extrapolate the paper's recipe from 200 of its steps instead of 20.
    """
    poisson = min(_poisson_seconds(cloud.path) for _ in range(REPEATS))
    lines, stages = [], {}
    for preset in ("default", "preview", "fine"):
        runs = [_isopts_run(cloud.path, ("--preset", preset, *MESH_ONLY)) for _ in range(REPEATS)]
        seconds, taken = min(runs, key=lambda run: run[0])
        lines.append((f"fit-points --preset {preset}, to the mesh", f"{seconds:.1f}", f"{seconds / poisson:.2f}"))
        stages[preset] = taken
    whole, _ = _isopts_run(cloud.path, ())
    lines.insert(
        1, ("fit-points --preset default, with iso-points and preview", f"{whole:.1f}", f"{whole / poisson:.2f}")
    )
    lines.append(("Poisson, outliers removed, depth 8", f"{poisson:.1f}", "1.00"))
    paper = _paper_seconds(cloud.path, PAPER_STEPS_FULL if full else PAPER_STEPS)
    ours = float(lines[0][1])
    lines.append(("points_paper, its steps alone, extrapolated", f"{paper:.0f}", f"{paper / poisson:.0f}"))
    text = markdown_table((f"{cloud.name}, 60,000 points", "seconds", "ratio to Poisson"), lines)
    text += f"\n\npoints_paper / fit-points: {paper / ours:.0f}\n\n"
    return text + _stage_table(stages)


def _isopts_run(cloud: Path, arguments: tuple[str, ...]) -> tuple[float, dict[str, float]]:
    """Seconds of the process, seconds of its stages."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        began = time.perf_counter()
        command = [sys.executable, "-c", PROGRAM, "fit-points", str(cloud), "-o", str(run), "--quiet", *arguments]
        subprocess.run(command, check=True, capture_output=True)
        seconds = time.perf_counter() - began
        return seconds, json.loads((run / "run.json").read_text(encoding="utf-8"))["seconds"]


def _poisson_seconds(cloud: Path) -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, str(_POISSON), str(cloud), folder, "careful-8"], check=True, capture_output=True
        )
        return time.perf_counter() - began


def _paper_seconds(cloud: Path, steps: int) -> float:
    """All steps of points_paper, at the pace of the first `steps` (before iso-points: extractions come on top)."""
    total = load_config(PointsConfig, "points_paper").fit.steps
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [sys.executable, "-c", PROGRAM, "fit-points", str(cloud), "-o", str(run), "--quiet"]
        options = (f"fit.steps={steps}", "fit.log_every=1", "output.mesh.resolution=32")
        overrides = [part for option in options for part in ("--set", option)]
        subprocess.run([*command, "--config", "points_paper", *overrides, *MESH_ONLY], check=False, capture_output=True)
        lines = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    seconds = {line["step"]: line["seconds"] for line in lines}
    return total * (seconds[steps] - seconds[_PAPER_WARM_UP]) / (steps - _PAPER_WARM_UP)


def _stage_table(stages: dict[str, dict[str, float]]) -> str:
    names = list(dict.fromkeys(name for taken in stages.values() for name in taken))
    rows = [(preset, *(f"{taken.get(name, 0):.2f}" for name in names)) for preset, taken in stages.items()]
    return markdown_table(("seconds per stage", *names), rows)
