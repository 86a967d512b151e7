"""What commands print their results with."""

from typing import Any

from rich.console import Console, RenderableType
from rich.measure import Measurement

_UNLIMITED = 100_000  # columns of text


class OutputConsole(Console):
    """stdout. Where it is no terminal, lines are as long as they need be, so that no value is cut; a reader that has
    seen enough, such as `head`, is a BrokenPipeError, which is no failure (see isopts.cli.app)."""

    def __init__(self, **options: Any):
        super().__init__(**options)
        if not self.is_terminal:
            self.width = _UNLIMITED

    def natural_width(self, renderable: RenderableType) -> int:
        """Columns of text that it takes where there are enough."""
        return Measurement.get(self, self.options.update(width=_UNLIMITED), renderable).maximum

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError
