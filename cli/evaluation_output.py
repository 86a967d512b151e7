"""Reports of `isopts evaluate` as table, JSON and CSV."""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from isopts.cli.output_console import OutputConsole
from isopts.evaluate.files import Targets
from isopts.evaluate.metrics import Figures
from isopts.evaluate.report import EvaluationConfig, Report
from isopts.run.atomic import replacing

Reports = Mapping[Path, Report]


def write_reports(
    reports: Reports, targets: Sequence[Targets], config: EvaluationConfig, csv_file: Path | None, as_json: bool
) -> None:
    """To stdout as a table or as JSON, and to a CSV file if there is to be one."""
    if csv_file is not None:
        write_csv(csv_file, reports, targets)
    if as_json:
        print_json(reports, targets, config)
    else:
        print_table(reports, targets)


def print_table(reports: Reports, targets: Sequence[Targets]) -> None:
    """A row for each figure, a column for each prediction; notes below. Where a terminal is too narrow for all columns,
    more tables follow; elsewhere lines are as long as they need be."""
    console, left = OutputConsole(), list(reports)
    names = _figure_names(reports)
    while left:
        count = len(left)
        while count > 1 and console.natural_width(_table(left[:count], reports, names)) > console.width:
            count -= 1
        console.print(_table(left[:count], reports, names))
        left = left[count:]
    diagonals = _diagonals(reports, targets)
    for reference, diagonal in diagonals.items():
        name = reference.name if len(diagonals) == 1 else str(reference)
        sentence = f"Lengths in the unit of the files; diagonal of {name}: {diagonal:.5g}."
        console.print(Text(sentence), soft_wrap=True)
    for prediction, report in reports.items():
        for note in report.notes:
            console.print(Text(f"{prediction}: {note}."), soft_wrap=True)


def _table(predictions: Sequence[Path], reports: Reports, names: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("figure", overflow="fold")
    unique = len({prediction.name for prediction in reports}) == len(reports)
    for prediction in predictions:
        label = (unique and prediction.name) or str(prediction)
        table.add_column(Text(label), justify="right", overflow="fold")
    for name in names:
        values = [reports[prediction].figures.get(name) for prediction in predictions]
        table.add_row(name, *("-" if value is None else f"{value:.5g}" for value in values))
    return table


def _figure_names(reports: Reports) -> list[str]:
    """Of all reports, in the order in which they come: a figure may be missing where the targets differ."""
    return list(dict.fromkeys(name for report in reports.values() for name in report.figures))


def _diagonals(reports: Reports, targets: Sequence[Targets]) -> dict[Path, float]:
    """The diagonal of each reference."""
    pairs = zip(targets, reports.values(), strict=True)
    return {target.reference: report.diagonal for target, report in pairs if target.reference is not None}


def print_json(reports: Reports, targets: Sequence[Targets], config: EvaluationConfig) -> None:
    """One object: what was compared and how, then the figures and notes of each prediction, and of its views where
    there are any. What was not compared is null, as is a reference at the top where each prediction has its own."""
    entries = [
        _entry(prediction, report, target)
        for (prediction, report), target in zip(reports.items(), targets, strict=True)
    ]
    head: dict[str, Any] = {"reference": None, "reference_diagonal": None}
    if len({target.reference for target in targets}) == 1:
        head = {name: entries[0][name] for name in head}
    head["dtu"] = _text(targets[0].dtu)
    print(json.dumps({**head, "samples": config.samples, "seed": config.seed, "predictions": entries}, indent=2))


def _entry(prediction: Path, report: Report, target: Targets) -> dict[str, Any]:
    entry = {"path": str(prediction), "reference": _text(target.reference), "reference_diagonal": report.diagonal}
    entry |= {"figures": _plain(report.figures), "notes": report.notes}
    views = [{"view": name, **_plain(figures)} for name, figures in report.views.items()]
    return entry | ({"views": views} if views else {})


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _plain(figures: Figures) -> Figures:
    """JSON has no infinity: the PSNR of equal images is null."""
    return {name: value if value is not None and math.isfinite(value) else None for name, value in figures.items()}


def write_csv(path: Path, reports: Reports, targets: Sequence[Targets]) -> None:
    """Columns prediction, reference and the figures; a figure that could not be computed is empty."""
    figures = _figure_names(reports)
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["prediction", "reference", *figures])
        for (prediction, report), target in zip(reports.items(), targets, strict=True):
            writer.writerow([prediction, target.reference, *(report.figures.get(name) for name in figures)])
