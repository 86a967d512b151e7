"""Reports of `isopts evaluate` as table, JSON and CSV."""

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from isopts.evaluate.files import Targets
from isopts.evaluate.metrics import Figures
from isopts.evaluate.report import EvaluationConfig, Report
from isopts.run.atomic import replacing

Reports = Mapping[Path, Report]


def print_table(reports: Reports, reference: Path | None) -> None:
    """A row for each figure, a column for each prediction; notes below."""
    table = Table(box=None, pad_edge=False)
    table.add_column("figure")
    for prediction in reports:
        table.add_column(Text(prediction.name or str(prediction)), justify="right")
    for name in next(iter(reports.values())).figures:
        values = [report.figures[name] for report in reports.values()]
        table.add_row(name, *("-" if value is None else f"{value:.5g}" for value in values))
    console = Console()
    console.print(table)
    if reference is not None:
        diagonal = next(iter(reports.values())).diagonal
        sentence = f"Lengths in the unit of the files; diagonal of {reference.name}: {diagonal:.5g}."
        console.print(Text(sentence), soft_wrap=True)
    for prediction, report in reports.items():
        for note in report.notes:
            console.print(Text(f"{prediction}: {note}."), soft_wrap=True)


def print_json(reports: Reports, targets: Targets, config: EvaluationConfig) -> None:
    """One object: what was compared and how, then the figures and notes of each prediction, and of its views where
    there are any. What was not compared is null."""
    entries = [_entry(prediction, report) for prediction, report in reports.items()]
    head = {
        "reference": None if targets.reference is None else str(targets.reference),
        "reference_diagonal": next(iter(reports.values())).diagonal,
        "dtu": None if targets.dtu is None else str(targets.dtu),
    }
    print(json.dumps({**head, "samples": config.samples, "seed": config.seed, "predictions": entries}, indent=2))


def _entry(prediction: Path, report: Report) -> dict[str, Any]:
    entry = {"path": str(prediction), "figures": _plain(report.figures), "notes": report.notes}
    views = [{"view": name, **_plain(figures)} for name, figures in report.views.items()]
    return entry | ({"views": views} if views else {})


def _plain(figures: Figures) -> Figures:
    """JSON has no infinity: the PSNR of equal images is null."""
    return {name: value if value is not None and math.isfinite(value) else None for name, value in figures.items()}


def write_csv(path: Path, reports: Reports, reference: Path | None) -> None:
    """Columns prediction, reference and the figures; a figure that could not be computed is empty."""
    figures = list(next(iter(reports.values())).figures)
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["prediction", "reference", *figures])
        for prediction, report in reports.items():
            writer.writerow([prediction, reference, *(report.figures[name] for name in figures)])
