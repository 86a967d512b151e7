"""Commands as a user types them, in this process."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from isopts.cli.app import app


@pytest.fixture(scope="session")
def isopts() -> Callable[..., tuple[str, str]]:
    """(*arguments, cwd=folder, code=0) -> stdout and stderr of a command that must end with `code` and not by a bug."""

    def run(*arguments: object, cwd: Path, code: int = 0) -> tuple[str, str]:
        before, threads = Path.cwd(), torch.get_num_threads()
        os.chdir(cwd)
        try:
            result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        finally:
            os.chdir(before)
            torch.set_num_threads(threads)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.stderr
        return result.stdout, result.stderr

    return run
