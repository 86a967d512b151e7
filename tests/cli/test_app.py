import errno
import json
import os
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from isopts import __version__
from isopts.cli import app as application
from isopts.errors import DivergedError, InputError


def exit_of(monkeypatch, capsys, error):
    """Exit code and stderr of a command that raises `error`, run the way main() runs one."""
    single = typer.Typer(pretty_exceptions_enable=False)

    def command() -> None:
        raise error

    single.command()(application._with_exit_codes(command))
    monkeypatch.setattr(application, "app", single)
    monkeypatch.setattr(sys, "argv", ["isopts"])
    with pytest.raises(SystemExit) as exit_:
        application.main()
    return exit_.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (InputError("no [points] in 'a.ply'"), 2, "Error: no [points] in 'a.ply'"),
        (DivergedError("step 7"), 3, "Error: step 7"),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (OSError(errno.ENOSPC, "No space left on device", "a.ply"), 2, "No space left on device: 'a.ply'"),
    ],
)
def test_errors_become_one_sentence_and_an_exit_code(monkeypatch, capsys, error, code, text):
    found, stderr = exit_of(monkeypatch, capsys, error)
    assert found == code
    assert text in stderr
    assert "Traceback" not in stderr
    assert stderr.count("\n") == 1


def test_a_bug_keeps_its_traceback(monkeypatch, capsys):
    with pytest.raises(ZeroDivisionError):
        exit_of(monkeypatch, capsys, ZeroDivisionError())


def test_version():
    result = CliRunner().invoke(application.app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"isopts {__version__}\n")


@pytest.mark.parametrize("arguments", [["no-such-command"], ["doctor", "--no-such-option"]])
def test_wrong_usage_exits_with_2(arguments):
    assert CliRunner().invoke(application.app, arguments).exit_code == 2


@pytest.mark.parametrize("module", application.COMMANDS)
def test_every_command_has_help_with_an_example(module):
    name = module.replace("_", "-")
    result = CliRunner().invoke(application.app, [name, "--help"])
    assert result.exit_code == 0
    assert f"isopts {name}" in result.stdout.split("Usage:", 1)[1].split("\n", 1)[1]


def test_help_imports_nothing_heavy():
    program = (
        "import sys; from isopts.cli.app import main; sys.argv = ['isopts', '--help']\n"
        "try: main()\n"
        "except SystemExit: print(sorted({'torch', 'warp', 'numpy', 'pydantic', 'scipy', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text elsewhere")
def test_a_file_name_that_is_no_text_is_no_error(tmp_path):
    name = os.fsdecode(b"caf\xe9.ply")
    program = "from isopts.cli.app import main; main()"
    for arguments in (
        ["make-scan", "sphere", "--points", "500", "-o", name],
        ["fit-points", name, "--preset", "preview", "--exit-after", "0", "--set", "output.mesh.resolution=32"],
    ):
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "runs" / os.fsdecode(b"caf\xe9") / "run.json").read_text())
    assert record["input"] == "caf\\udce9.ply"


@pytest.mark.parametrize("form", ["['isopts', 'doctor', '--json']", "['isopts', 'doctor']"])
def test_a_closed_pipe_is_no_error(form):
    reader, writer = os.pipe()
    os.close(reader)
    program = f"import sys; from isopts.cli.app import main; sys.argv = {form}; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
