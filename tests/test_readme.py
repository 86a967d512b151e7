"""README and help texts, checked against the program."""

import inspect
import itertools
import re
import shlex
import subprocess
from importlib import import_module
from pathlib import Path

import pytest
import typer

from isopts.cli import app as application

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = typer.main.get_command(application.app).commands


def command_lines(text: str) -> list[str]:
    """Every `isopts ...` line, in code blocks and between backticks, without its comment."""
    blocks = re.findall(r"^isopts .*$", text, re.M) + re.findall(r"`(isopts [^`]*)`", text)
    return [line.partition(" #")[0].strip() for line in blocks if "COMMAND" not in line]


def examples(module: str) -> list[str]:
    text = inspect.getdoc(getattr(import_module(f"isopts.cli.{module}"), module))
    return [line.strip() for line in re.findall(r"Example: +(isopts .*)", text)]


def parse(line: str, folder: Path) -> None:
    """Parse a command line with the real parser, without running it. Files that are named first are made."""
    _, name, *arguments = shlex.split(line)
    for argument in arguments:
        if re.fullmatch(r"[\w/]+\.(ply|yml)", argument):
            (folder / argument).parent.mkdir(parents=True, exist_ok=True)
            (folder / argument).touch()
    with COMMANDS[name].make_context(name, arguments):
        pass


def test_readme_shows_every_command():
    assert {shlex.split(line)[1] for line in command_lines(README)} == set(COMMANDS)


@pytest.mark.parametrize("line", command_lines(README))
def test_readme_commands_parse(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parse(line, tmp_path)
    assert shlex.split(line)[1] in COMMANDS


@pytest.mark.parametrize("module", application.COMMANDS)
def test_examples_of_the_help_texts_parse(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = examples(module)
    for line in lines:
        parse(line, tmp_path)
    assert lines


def test_a_wrong_option_would_be_noticed(tmp_path):
    with pytest.raises(Exception, match="--no-such-option"):
        parse("isopts doctor --no-such-option", tmp_path)


def test_configurations_and_keys_named_in_the_readme_are_valid():
    from isopts.config import load_config
    from isopts.fit.clouds.config import PointsConfig

    words = [shlex.split(line) for line in command_lines(README) if line.startswith("isopts fit-points")]
    for line in words:
        options = dict(itertools.pairwise(line))
        name = options.get("--config", "points_fast")
        changes = [options["--set"]] if "--set" in options else []
        if not name.endswith(".yml"):
            assert load_config(PointsConfig, name, changes)


def test_folder_map_equals_the_tree():
    named = set(re.findall(r"^\| `([\w/]+)/` \|", README, re.M)) - {"isopoints", "meshes", "previews"}
    present = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("*/__init__.py")} | {"tests"}
    present |= {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("isopts/*/__init__.py")}
    assert named == present - {"isopts"}


def test_run_folder_table_names_every_file():
    from isopts.run.folder import RunFolder

    names = {
        value.fget(RunFolder(Path("run"))).name for value in vars(RunFolder).values() if isinstance(value, property)
    }
    table = README.partition("## What a run leaves")[2].partition("##")[0]
    assert names
    assert {name for name in names if f"`{name}`" not in table} == set()


def test_ci_and_makefile_use_the_commands_of_the_readme():
    development = README.partition("## Development")[2]
    install, test = re.search(r"```sh\n(pip install .*)\n(python -m pytest)\n```", development).groups()
    packages = install.removeprefix("pip install ")
    for file in (ROOT / ".ci" / "run", ROOT / "Makefile"):
        assert packages in file.read_text(), file
        assert test in file.read_text(), file


@pytest.mark.parametrize(("target", "commands"), [("demo", 4), ("demo-views", 3)])
def test_makefile_only_uses_options_that_exist(target, commands, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = subprocess.run(["make", "-n", "-C", str(ROOT), target], capture_output=True, text=True, check=True)
    lines = [f"isopts {line.partition('bin/isopts ')[2]}" for line in done.stdout.splitlines() if "bin/isopts " in line]
    assert len(lines) == commands
    for line in lines:
        parse(line, tmp_path)
