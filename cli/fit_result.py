"""How a fit's result is printed."""

import json
from typing import TYPE_CHECKING

from rich.text import Text

from isopts.cli.output_console import OutputConsole

if TYPE_CHECKING:
    from isopts.fit.result import FitResult


def print_result(result: "FitResult", as_json: bool) -> None:
    """On stdout: a line for each row, or one JSON object."""
    if as_json:
        print(json.dumps(result.as_dict()))
        return
    console, rows = OutputConsole(), result.rows()
    width = max(len(name) for name, _ in rows)
    for name, value in rows:  # a path is never cut, nor taken for markup
        console.print(Text(f"{name:<{width}}  {value}"), soft_wrap=True)
