"""How well fit-mvr bears damaged views: each case beside the clean set it was made from, with the same steps.

    python tests/benchmarks/views_robustness.py -o figures                         # of views of the angel that it makes
    python tests/benchmarks/views_robustness.py -o figures --views FOLDER          # in IDR's convention, reference.ply
    python tests/benchmarks/views_robustness.py -o figures --cases clean grown_10 --set losses.photo=0.5

Sets and runs stay in the output folder; cases that are there are not repeated. Seconds are the processor's.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import torch
from views_damage import (
    Damage,
    brightened,
    damaged,
    enlarged,
    exposure,
    grown,
    nothing,
    some_views,
    upper_half,
    wrong_masks,
    wrong_pose,
)
from views_seen import seen_error

PROGRAM = "from isopts.cli.app import main; main()"


class Case(NamedTuple):
    """damage: of the set, which is given, or `made` with these options of make-views from its reference.ply.
    clean: the case to compare with."""

    damage: Damage = nothing
    clean: str = "clean"
    made: tuple[str, ...] | None = None
    settings: tuple[str, ...] = ()


CASES = {
    "clean": Case(),
    "clean_fitted": Case(settings=("exposure.enabled=true",)),
    "exposure_20": Case(exposure(0.2)),
    "exposure_20_fitted": Case(exposure(0.2), settings=("exposure.enabled=true",)),
    "saturated": Case(brightened(2.0)),
    "grown_3": Case(grown(3)),
    "grown_10": Case(grown(10)),
    "shrunk_3": Case(grown(-3)),
    "masks_shifted_erased": Case(wrong_masks(("shifted", "erased"))),
    "masks_inverted_empty": Case(wrong_masks(("inverted", "empty"))),
    "pose_20": Case(wrong_pose(20, "side")),
    "pose_2": Case(wrong_pose(2, "side")),
    "roll_20": Case(wrong_pose(20, "roll")),
    "roll_2": Case(wrong_pose(2, "roll")),
    "half_sphere": Case(upper_half),
    "views_8": Case(some_views(8)),
    "views_12": Case(some_views(12)),
    "megapixels_24": Case(enlarged(24, 12), clean="views_12"),
    "textured": Case(made=("--fixed-lights",)),
    "textureless": Case(made=("--fixed-lights", "--no-texture"), clean="textured"),
    "views_300": Case(made=("--fixed-lights", "--views", "300"), clean="textured"),
}
COLUMNS = ("case", "chamfer", "ratio", "seen", "ratio", "normals", "closed", "parts", "wrong", "named", "GB", "s")


class Finished(NamedTuple):
    """What a command printed, and what it took: processor seconds, gigabytes at most."""

    output: str
    notes: str
    seconds: float
    gigabytes: float


def isopts(*arguments: str, folder: Path) -> Finished:
    """Run one command on one thread, so that other work beside it changes no figure."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with (folder / "stdout.txt").open("w+") as output, (folder / "stderr.txt").open("w+") as notes:
        command = [sys.executable, "-c", PROGRAM, *arguments]
        process = subprocess.Popen(command, stdout=output, stderr=notes, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        notes.seek(0)
        found = Finished(output.read(), notes.read(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6)
    if process.returncode != 0:
        raise RuntimeError(f"isopts {' '.join(arguments)}\n{found.notes}")
    return found


def make_views(subject: str, views: Path, choices: tuple[str, ...], folder: Path) -> None:
    isopts("make-views", subject, "-o", str(views), "--overwrite", "--quiet", *choices, folder=folder)


def measure(name: str, given: Path, folder: Path, steps: int, changes: list[str]) -> dict:
    """The figures of one case."""
    case, run, views = CASES[name], folder / "runs" / name, folder / "sets" / name
    figures = folder / f"{name}.json"
    if figures.is_file():
        return json.loads(figures.read_text())
    source = given
    if case.made is not None:
        source = views.with_name(f"{name}_made")
        make_views(str(given / "reference.ply"), source, case.made, folder)
    wrong = damaged(source, views, case.damage)
    settings = [part for change in (f"fit.steps={steps}", *case.settings, *changes) for part in ("--set", change)]
    try:
        fit = isopts("fit-mvr", str(views), "-o", str(run), "--overwrite", "--threads", "1", *settings, folder=folder)
    except RuntimeError as error:
        return {"error": str(error).strip().splitlines()[-1]}
    report = isopts("evaluate", str(run / "mesh.ply"), str(views / "reference.ply"), "--json", folder=folder)
    found = json.loads(report.output)
    metrics = json.loads((run / "metrics.json").read_text())
    result = {
        **found["predictions"][0]["figures"],
        "seen": seen_error(run / "mesh.ply", views),
        "closed": metrics["mesh_closed"],
        "components": metrics["mesh_components"],
        "wrong": wrong,
        "notes": fit.notes,
        "gigabytes": fit.gigabytes,
        "seconds": fit.seconds,
    }
    figures.write_text(json.dumps(result, indent=2))
    return result


def row(name: str, results: dict[str, dict]) -> str:
    found, clean = results[name], results.get(CASES[name].clean, {})
    if "error" in found:
        return f"| {name} | {found['error']} |"
    named = [view for view in found["wrong"] if f"'{view}'" in found["notes"]]
    others = found["notes"].count("left out") - len(named)

    def ratio(figure: str) -> str:
        return f"{found[figure] / clean[figure]:.2f}" if figure in clean else "-"

    cells = (
        name, f"{found['chamfer_l1_mean']:.4g}", ratio("chamfer_l1_mean"), f"{found['seen']:.4g}", ratio("seen"),
        f"{found['normal_consistency']:.4f}", found["closed"], found["components"], len(found["wrong"]),
        f"{len(named)}" + (f" and {others} right ones" if others > 0 else ""),
        f"{found['gigabytes']:.2f}", f"{found['seconds']:.0f}",
    )  # fmt: skip
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--views", type=Path, help="clean set with a reference.ply; default: the angel, made here")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--set", dest="changes", action="append", default=[], help="of the configuration")
    options = parser.parse_args()
    torch.set_num_threads(1)
    (options.output / "runs").mkdir(parents=True, exist_ok=True)
    given = options.views
    if given is None:
        given = options.output / "angel"
        if not (given / "cameras.npz").is_file():
            make_views("angel", given, ("--size", "400", "300", "--fixed-lights"), options.output)
    results = {}
    for name in options.cases:
        results[name] = measure(name, given, options.output, options.steps, options.changes)
        head = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
        lines = [*head, *(row(each, results) for each in results)]
        (options.output / "robustness.md").write_text("\n".join(lines) + "\n")
        print(row(name, results), flush=True)


if __name__ == "__main__":
    main()
