"""Entry point of the `isopts` command: registers the commands and turns errors into a sentence and an exit code."""

import errno
import functools
import importlib
import io
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from isopts import __version__
from isopts.errors import IsoptsError

COMMANDS = (
    "fit_points",
    "fit_mvr",
    "extract_isopoints",
    "mesh",
    "render",
    "evaluate",
    "make_scan",
    "make_views",
    "check",
    "doctor",
)
"""Modules of isopts.cli; each holds one function of the same name. They import torch and the like only when called."""

_ENVIRONMENT_ERRORS = (  # not of the program
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS),
    *(errno.EACCES, errno.EPERM, errno.ENAMETOOLONG),
)

app = typer.Typer(
    name="isopts",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a bug shows Python's own traceback
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line. Exit codes: 0 done, 2 bad input or usage, 3 diverged, 130/143 interrupted, 1 a bug."""
    for stream in (sys.stdout, sys.stderr):  # a file name that is no text is printed with escapes
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="isopts")


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"isopts {__version__}")
        raise typer.Exit


@app.callback()
def isopts(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Surfaces as neural signed distance fields, steered by iso-points."""


def _with_exit_codes(command: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
            sys.stdout.flush()  # a closed pipe shows here, not at shutdown
        except IsoptsError as error:
            _fail(str(error), error.exit_code)
        except KeyboardInterrupt:
            _fail("Interrupted.", 130)
        except BrokenPipeError:  # the reader, such as `head`, has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:
            if error.errno not in _ENVIRONMENT_ERRORS:
                raise
            _fail(f"{error.strerror}: '{error.filename or 'output'}'; make room or choose another place.", 2)

    return run


def _fail(message: str, exit_code: int) -> None:
    from rich.console import Console
    from rich.text import Text

    text = Text.assemble(("Error: ", "bold red"), message)
    Console(stderr=True).print(text, soft_wrap=True)
    raise typer.Exit(exit_code)


for _name in COMMANDS:
    _command = getattr(importlib.import_module(f"isopts.cli.{_name}"), _name)
    app.command()(_with_exit_codes(_command))
