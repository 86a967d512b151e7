"""Time and memory of `isopts fit-points` against the number of points, from command to written outputs.

    python tests/benchmarks/points_scale.py                                       # 30,000 to 10 million: ten minutes
    python tests/benchmarks/points_scale.py --sizes 1000000 --threads 1
    python tests/benchmarks/points_scale.py --plot scale.png                      # needs pip install '.[benchmark]'

Every scan is made by `isopts make-scan` and fitted by a process of its own. `seconds` is its wall time, `processor`
its processor time on all threads, which other programs disturb least; then come the stages that it reports itself.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

SIZES = (30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
LIMITS = {1_000_000: (60, 3), 10_000_000: (300, 8)}  # seconds and GB that a size must keep, on two idle cores
_BYTES_OF_MAXRSS = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Cost:
    """points: of the scan. seconds: wall time. processor_seconds: user and system. peak: of memory, GB.
    stages: name -> seconds."""

    points: int
    seconds: float
    processor_seconds: float
    peak: float
    stages: dict[str, float]


def isopts(*arguments: object) -> tuple[str, float, float, float]:
    """stdout, wall seconds, processor seconds and peak memory in GB of a command."""
    program = "from isopts.cli.app import main; main()"
    started = time.perf_counter()
    command = [sys.executable, "-c", program, *map(str, arguments)]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)  # of this process alone; its figures do not sum up children's
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"isopts {' '.join(map(str, arguments))} ended with exit code {process.returncode}.")
        output.seek(0)
        peak = usage.ru_maxrss * _BYTES_OF_MAXRSS / 1e9
        return output.read(), seconds, usage.ru_utime + usage.ru_stime, peak


def measure(points: int, options: argparse.Namespace) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        scan = Path(folder) / "scan.ply"
        errors = ["--noise", options.noise, "--normal-noise", 0.05, "--outliers", 0.01]
        isopts("make-scan", options.shape, "--points", points, *errors, "-o", scan)
        target = ["-o", Path(folder) / "run", "--threads", options.threads, "--json", "--quiet"]
        output, *figures = isopts("fit-points", scan, *target, *options.isopts_options)
    return Cost(points, *figures, json.loads(output)["seconds"])


def table(costs: list[Cost]) -> str:
    stages = list(costs[0].stages)
    lines = ["    points  seconds  processor  peak GB   " + "  ".join(f"{name:>10}" for name in stages)]
    for cost in costs:
        each = "  ".join(f"{cost.stages.get(name, 0):10.1f}" for name in stages)
        line = f"{cost.points:10,}  {cost.seconds:7.1f}  {cost.processor_seconds:9.1f}  {cost.peak:7.2f}   {each}"
        if cost.points in LIMITS:
            seconds, peak = LIMITS[cost.points]
            kept = "kept" if cost.seconds <= seconds and cost.peak <= peak else "exceeded"
            line += f"   limits of {seconds} s and {peak} GB {kept}"
        lines.append(line)
    return "\n".join(lines)


def plot(costs: list[Cost], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    sizes = [cost.points for cost in costs]
    figure, (time_axes, memory_axes) = pyplot.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    time_axes.loglog(sizes, [cost.seconds for cost in costs], "o-", label="from command to outputs")
    time_axes.loglog(sizes, [cost.processor_seconds for cost in costs], "o-", label="processor time")
    for name in ("read", "prepare", "fit"):
        time_axes.loglog(sizes, [max(cost.stages.get(name, 0), 0.01) for cost in costs], ".--", label=name)
    last = costs[-1]
    time_axes.loglog(sizes, [last.seconds * size / last.points for size in sizes], "k:", label="proportional")
    memory_axes.loglog(sizes, [cost.peak for cost in costs], "o-", label="peak memory")
    memory_axes.loglog(sizes, [last.peak * size / last.points for size in sizes], "k:", label="proportional")
    time_axes.set_ylabel("seconds")
    memory_axes.set_ylabel("GB")
    for axes in (time_axes, memory_axes):
        axes.set_xlabel("points")
        axes.grid(visible=True, which="both", alpha=0.3)
        axes.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, metavar="POINTS")
    parser.add_argument("--shape", default="flange")
    parser.add_argument("--noise", type=float, default=0.001, help="the longest side is 1.5")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--plot", type=Path, help="write a log-log plot as PNG")
    parser.add_argument(
        "--isopts-options", nargs=argparse.REMAINDER, default=[], help="for fit-points; the last option"
    )
    options = parser.parse_args()
    if options.plot and importlib.util.find_spec("matplotlib") is None:
        parser.error("--plot needs matplotlib: pip install '.[benchmark]'")
    costs = []
    for points in sorted(options.sizes):
        costs.append(measure(points, options))
        print(table(costs) if len(costs) == 1 else table(costs).splitlines()[-1], flush=True)
    if options.plot:
        plot(costs, options.plot)


if __name__ == "__main__":
    main()
