"""The report of `isopts check` as text."""

from pathlib import Path

import numpy as np
from rich.table import Table
from rich.text import Text

from isopts.cli.output_console import OutputConsole
from isopts.cli.views_report import ViewsReport

_MASKS = {
    "dir": "mask files",
    "alpha": "alpha channel",
    "black": "black background",
    "white": "white background",
    "none": "none",
}


def print_report(report: ViewsReport, picture: Path) -> None:
    """What was found, a row for each view, then warnings and problems."""
    console = OutputConsole()
    console.print(_summary(report))
    if report.agreements:
        console.print()
        console.print(_agreement_table(report))
    for sentence in report.warnings:
        console.print(Text.assemble(("Warning: ", "bold yellow"), sentence), soft_wrap=True)
    for sentence in report.problems.values():
        console.print(Text.assemble(("Problem: ", "bold red"), sentence), soft_wrap=True)
    if report.has_picture and report.hull is None:
        console.print(Text(f"{picture}: cameras and the region of interest"), soft_wrap=True)
    if report.hull is not None:
        least = ", ".join(report.views.labels[view] for view in report.least_agreeing())
        console.print(Text(f"{picture}: cameras, hull, and the views that agree least: {least}"), soft_wrap=True)


def _summary(report: ViewsReport) -> Table:
    sizes = sorted({tuple(size) for size in report.views.cameras.sizes.tolist()})
    shown = ", ".join(f"{width}x{height}" for width, height in sizes[:3]) + ", ..." * (len(sizes) > 3)
    rows = {
        "views": f"{len(report.views)} ({report.views.format}), {shown} pixels",
        "masks": _MASKS[report.views.mask_source],
    }
    if report.region is not None:
        x, y, z = report.region.center
        region = f"centre {x:.5g} {y:.5g} {z:.5g}, radius {report.region.radius:.5g}, from {report.region_from}"
        rows["region"] = region
    if report.points is not None:
        rows["points"] = f"{report.points[0]:,} of {report.points[1]:,} on the surface are in the region"
    if report.hull is not None:
        rows["hull"] = " x ".join(f"{side:.4g}" for side in report.hull_size())
        ious = [agreement.iou for agreement in report.agreements]
        rows["agreement"] = f"IoU {np.mean(ious):.4f} on average, at least {np.min(ious):.4f}"
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in rows.items():
        table.add_row(Text(name, style="bold"), Text(value))
    return table


def _agreement_table(report: ViewsReport) -> Table:
    """Shares of the mask, in per cent but for the IoU."""
    table = Table(box=None, pad_edge=False)
    table.add_column("view")
    for name in ("object %", "IoU", "missing %", "extra %"):
        table.add_column(name, justify="right")
    least = set(report.least_agreeing())
    for view, agreement in enumerate(report.agreements):
        share = 100 * report.views.mask(view).mean()
        numbers = (
            f"{share:.1f}",
            f"{agreement.iou:.4f}",
            f"{100 * agreement.missing:.1f}",
            f"{100 * agreement.extra:.1f}",
        )
        table.add_row(Text(report.views.labels[view]), *numbers, style="bold" if view in least else "")
    return table
