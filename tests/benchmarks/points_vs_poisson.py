"""fit-points against screened Poisson on scans with noise, outliers, flipped or missing normals and uneven density.

    python tests/benchmarks/points_vs_poisson.py -o FOLDER                        # every level: about half an hour
    python tests/benchmarks/points_vs_poisson.py -o FOLDER --levels "noise 1" "flipped 10" --shapes angel fandisk
    python tests/benchmarks/points_vs_poisson.py -o FOLDER --ablation             # what the iso-points contribute
    python tests/benchmarks/points_vs_poisson.py -o FOLDER --speed                # from command to mesh

Poisson is Open3D's (`pip install '.[benchmark]'`; needs the system package libusb-1.0-0), raw at depth 8 and careful
(outliers removed, largest part, depth 7 and 8, the smaller chamfer distance counts). Every method runs in a process of
its own, from the cloud's file to the mesh's. The clouds are made here from synthetic shapes and, with ../shared/data,
from scanned meshes; without Open3D or the data their rows are left out. FOLDER gets `rows.jsonl` (`ablation.jsonl`),
which grows as rows come, and at the end `page.md` and `rows.csv` (`ablation.md`, `speed.md`).

The metric is exact from samples to triangles, both ways. Lengths are in thousandths of the unit (longest side 1.5).
"""

import argparse
import shlex
import sys
from pathlib import Path

from points import ablation
from points.clouds import DATA, LEVELS, SCANNED, choose_clouds, write_cloud
from points.judgement import judge
from points.methods import MESH_ONLY, POISSON, SAMPLES, Method, has_open3d, mesh_path, sampling_noise
from points.page import judgement_table, machine, preset_table, rows_table, write_rows_csv
from points.results import Results
from points.runner import run_all
from points.speed import speed_report

from isopts.data.synthetic_shapes import SHAPES

_TERMS = """Chamfer distance and 1 - normal consistency, smaller is better; ratios are ours / the better careful Poisson
(clean levels: raw Poisson of depth 8), mean over the clouds of a level; `to any`: to the best of all three."""


def main() -> None:
    options = _options()
    folder = options.output
    (folder / "clouds").mkdir(parents=True, exist_ok=True)
    if options.ablation:
        _write(folder / "ablation.md", "What the iso-points contribute", _ablation(options))
    elif options.speed:
        cloud = choose_clouds(("noise 0.5",), ("angel",), folder / "clouds")[0]
        write_cloud(cloud)
        _write(folder / "speed.md", "From command to mesh", speed_report(cloud, options.full))
    else:
        _write(folder / "page.md", "fit-points and screened Poisson", _matrix(options))


def _matrix(options: argparse.Namespace) -> str:
    folder = options.output
    levels = tuple(LEVELS) if options.levels == ["all"] else tuple(options.levels)
    clouds = choose_clouds(levels, tuple(options.shapes), folder / "clouds")
    methods = [] if options.only_poisson else [Method("isopts", (*MESH_ONLY, *options.isopts_options))]
    presets = [Method(f"isopts {name}", ("--preset", name, *MESH_ONLY)) for name in options.presets]
    methods += presets
    if has_open3d():
        methods.append(POISSON)
    rows = run_all(
        clouds, methods, _results(options, "rows"), folder / "work", folder / "meshes" if options.meshes else None
    )
    write_rows_csv(folder / "rows.csv", rows)
    judgements = judge(rows, {level: LEVELS[level].noise for level in levels})
    parts = [_TERMS, judgement_table(judgements) if judgements else "Nothing to compare.", rows_table(rows)]
    if presets:
        parts.insert(2, preset_table(rows, [preset.name for preset in presets]))
    last = mesh_path(folder / "work" / clouds[-1].path.stem, rows[0].method)
    if last.exists():
        noise = "Sampling noise of the metric ({:,} samples, five seeds, {}): chamfer {:.2%}, 1 - normals {:.2%}."
        parts.append(noise.format(SAMPLES, clouds[-1].name, *sampling_noise(last, clouds[-1].reference)))
    return "\n\n".join(parts)


def _ablation(options: argparse.Namespace) -> str:
    levels = ablation.LEVELS if options.levels == ["all"] else tuple(options.levels)
    folder = options.output
    clouds = choose_clouds(levels, tuple(options.shapes) or ablation.SHAPES, folder / "clouds")
    rows = run_all(clouds, ablation.ablation_methods(), _results(options, "ablation"), folder / "work")
    return f"{ablation.ablation_table(rows)}\n\n{rows_table(rows)}"


def _results(options: argparse.Namespace, name: str) -> Results:
    kept = None if options.continued else ("poisson",) if options.keep_poisson else ()
    return Results(options.output / f"{name}.jsonl", kept)


def _write(path: Path, title: str, text: str) -> None:
    command = shlex.join(["python", "tests/benchmarks/points_vs_poisson.py", *sys.argv[1:]])
    path.write_text(f"# {title}\n\n{machine()}\n\n    {command}\n\n{text}\n", encoding="utf-8")
    print(text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--levels", nargs="+", default=["all"], choices=["all", *LEVELS], metavar="LEVEL")
    shapes = [*SHAPES, *(SCANNED if DATA.is_dir() else ())]
    parser.add_argument("--shapes", nargs="+", default=[], choices=shapes, metavar="SHAPE", help=", ".join(shapes))
    parser.add_argument("--presets", nargs="+", default=[], choices=["preview", "fine"], help="run these too")
    parser.add_argument("--only-poisson", action="store_true")
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--full", action="store_true", help="--speed: 200 steps of points_paper, not 20")
    parser.add_argument("--continue", dest="continued", action="store_true", help="use the rows that are there")
    parser.add_argument("--keep-poisson", action="store_true", help="use the rows of Poisson that are there")
    parser.add_argument("--meshes", action="store_true", help="keep every mesh in FOLDER/meshes")
    parser.add_argument("--isopts-options", type=shlex.split, default=[], metavar="'OPTION ...'", help="for fit-points")
    return parser.parse_args()


if __name__ == "__main__":
    main()
