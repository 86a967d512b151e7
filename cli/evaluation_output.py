"""Reports of `isopts evaluate` as table, JSON and CSV."""

import csv
import json
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from isopts.evaluate.report import EvaluationConfig, Report
from isopts.run.atomic import replacing

Reports = Mapping[Path, Report]


def print_table(reports: Reports, reference: Path) -> None:
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
    diagonal = next(iter(reports.values())).diagonal
    console.print(
        Text(f"Lengths in the unit of the files; diagonal of {reference.name}: {diagonal:.5g}."), soft_wrap=True
    )
    for prediction, report in reports.items():
        for note in report.notes:
            console.print(Text(f"{prediction}: {note}."), soft_wrap=True)


def print_json(reports: Reports, reference: Path, config: EvaluationConfig) -> None:
    """One object: what was compared and how, then the figures and notes of each prediction."""
    entries = [
        {"path": str(prediction), "figures": report.figures, "notes": report.notes}
        for prediction, report in reports.items()
    ]
    head = {"reference": str(reference), "reference_diagonal": next(iter(reports.values())).diagonal}
    print(json.dumps({**head, "samples": config.samples, "seed": config.seed, "predictions": entries}, indent=2))


def write_csv(path: Path, reports: Reports, reference: Path) -> None:
    """Columns prediction, reference and the figures; a figure that could not be computed is empty."""
    figures = list(next(iter(reports.values())).figures)
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["prediction", "reference", *figures])
        for prediction, report in reports.items():
            writer.writerow([prediction, reference, *(report.figures[name] for name in figures)])
