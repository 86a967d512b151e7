"""The benchmark's page: Markdown for readers, CSV for programs."""

import csv
import os
import platform
from collections.abc import Iterable, Sequence
from math import inf
from pathlib import Path
from statistics import mean

from isopts import __version__
from points.judgement import Judgement
from points.results import Row

COLUMNS = ("cloud", "method", "chamfer", "1 - normals", "wrong way out", "parts", "closed", "seconds")


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column is text, the others are numbers."""
    lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def machine() -> str:
    """One sentence about what the figures were measured on and with."""
    return f"isopts {__version__}, {os.cpu_count()} processors, {platform.system()} {platform.machine()}."


def judgement_table(judgements: Iterable[Judgement]) -> str:
    """One line a level: mean ratios, the worst ones, our largest chamfer distance, the targets, the verdict."""
    header = (
        "level",
        "clouds",
        "chamfer",
        "1 - normals",
        "chamfer to any",
        "worst ratios",
        "worst of ours",
        "targets",
        "verdict",
    )
    rows = []
    for entry in judgements:
        worst = max(entry.duels, key=lambda duel: duel.chamfer)
        targets = "-" if entry.targets is None else f"{entry.targets[0]:.2f}, {entry.targets[1]:.2f}"
        ratios = (f"{value:.3f}" for value in (entry.chamfer, entry.roughness, entry.chamfer_to_best))
        place = f"{worst.ours.shape} {worst.chamfer:.2f}, {worst.roughness:.2f}"
        ours = max((duel.ours for duel in entry.duels), key=lambda row: inf if row.failure else row.chamfer)
        largest = f"{ours.shape} {ours.failure or f'{1000 * ours.chamfer:.2f}'}"
        rows.append((entry.level, str(len(entry.duels)), *ratios, place, largest, targets, entry.verdict))
    return markdown_table(header, rows)


def preset_table(rows: Sequence[Row], methods: Sequence[str]) -> str:
    """One line a level and preset: seconds, and errors relative to the default's, mean over the clouds of both."""
    default = {(row.level, row.shape): row for row in rows if row.method == "isopts" and not row.failure}
    lines = []
    for level in dict.fromkeys(row.level for row in rows):
        for method in methods:
            pairs = [
                (row, default[level, row.shape])
                for row in rows
                if (row.level, row.method) == (level, method) and not row.failure and (level, row.shape) in default
            ]
            if pairs:
                chamfer = mean(row.chamfer / usual.chamfer for row, usual in pairs)
                roughness = mean(row.roughness / usual.roughness for row, usual in pairs)
                seconds = f"{mean(row.seconds for row, _ in pairs):.1f}"
                name = f"{level}, {method.removeprefix('isopts ')}"
                lines.append((name, str(len(pairs)), f"{chamfer:.3f}", f"{roughness:.3f}", seconds))
    return markdown_table(("level, preset", "clouds", "chamfer / default", "1 - normals / default", "seconds"), lines)


def row_cells(row: Row) -> tuple[str, ...]:
    """Cells of COLUMNS."""
    name = f"{row.shape} {row.level}"
    if row.failure:
        return name, row.method, row.failure, "", "", "", "", f"{row.seconds:.1f}"
    return (
        name,
        row.method,
        f"{1000 * row.chamfer:.3f}",
        f"{row.roughness:.4f}",
        f"{100 * row.flipped:.1f} %",
        str(row.parts),
        "yes" if row.closed else "no",
        f"{row.seconds:.1f}",
    )


def rows_table(rows: Iterable[Row]) -> str:
    return markdown_table(COLUMNS, map(row_cells, rows))


def write_rows_csv(path: Path, rows: Iterable[Row]) -> None:
    """Lengths in the unit of the files."""
    names = ("shape", "level", "method", "chamfer", "roughness", "flipped", "parts", "closed", "seconds", "failure")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([getattr(row, name) for name in names] for row in rows)
