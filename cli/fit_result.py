"""How a fit's result is printed."""

import json
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from isopts.fit.result import FitResult


def print_result(result: "FitResult", as_json: bool) -> None:
    """On stdout: a table, or one JSON object."""
    if as_json:
        print(json.dumps(result.as_dict()))
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in result.rows():
        table.add_row(name, value)
    Console().print(table)
