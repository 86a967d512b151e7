"""The rules of the code base that a reader relies on, checked on the syntax trees."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {"isopts", "cli", "kernels", "configs", "tests"}
LAYERS = {"geometry", "data", "field", "isopoints", "render", "fit", "mesh", "evaluate", "run"}
EVERYTHING = LAYERS | {"cli", "kernels", "configs"}
MAY_IMPORT = {
    "cli": EVERYTHING,
    "fit": {"isopoints", "render", "mesh", "field", "data", "run", "geometry", "kernels"},
    "isopoints": {"geometry", "kernels"},
    "render": {"geometry", "kernels"},
    "mesh": {"geometry", "kernels"},
    "evaluate": {"data", "geometry", "kernels"},
    "field": {"geometry", "kernels"},
    "data": {"geometry"},
    "run": {"geometry"},
    "geometry": {"kernels"},
    "kernels": set(),
    "configs": set(),
    "isopts": set(),
}
FREE = {"errors", "config", ""}  # `from isopts import __version__` is ""
NOT_OPS = {"point_tree"}  # parts that several ops share; the ops' references are their oracle
VAGUE = {"util", "utils", "helper", "helpers", "common", "misc", "base", "manager", "stuff", "tools"}

SOURCES = sorted(path for folder in ("isopts", "cli", "kernels", "configs") for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_name(path: Path) -> str:
    """Dotted name once installed."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == "isopts" else ("isopts", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(name: str) -> str:
    """First folder below isopts: `isopts.fit.loop` -> `fit`, `isopts.errors` -> `errors`."""
    return [*name.split("."), ""][1]


def imports_of(path: Path, tree: ast.Module) -> Iterator[str]:
    """Dotted names of everything imported, also inside functions and by import_module with a plain string."""
    package = module_name(path).split(".")
    package = package if path.name == "__init__.py" else package[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            prefix = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*prefix, *([node.module] if node.module else [])])
            yield from (f"{source}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and called_name(node) == "import_module":
            argument = node.args[0]
            if isinstance(argument, ast.Constant):
                yield str(argument.value)
            elif isinstance(argument, ast.JoinedStr) and isinstance(argument.values[0], ast.Constant):
                yield str(argument.values[0].value)


def called_name(call: ast.Call) -> str:
    return getattr(call.func, "attr", None) or getattr(call.func, "id", "")


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_imports_follow_the_direction_of_dependencies(path):
    folder = path.relative_to(ROOT).parts[0]
    layer = (layer_of(module_name(path)) if folder == "isopts" else folder) or "isopts"
    layer = layer if layer in MAY_IMPORT else "isopts"
    ours = {name for name in imports_of(path, tree_of(path)) if name.split(".")[0] == "isopts"}
    reached = {layer_of(name) for name in ours}
    reached = {name for name in reached if name in EVERYTHING or name in FREE - {""}}
    assert reached <= MAY_IMPORT[layer] | {layer} | FREE


def test_installed_names_are_used_not_folders():
    for path in SOURCES:
        names = set(imports_of(path, tree_of(path)))
        assert not any(name.split(".")[0] in {"tests", "cli", "kernels", "configs"} for name in names), relative(path)


def test_top_level_and_library_layout():
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split()]
    present = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    assert {name for name in present if not any(fnmatch(name, rule) for rule in ignored)} == FOLDERS
    library = {path.name for path in (ROOT / "isopts").iterdir() if path.name != "__pycache__"}
    assert library == LAYERS | {"__init__.py", "config.py", "errors.py"}


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=relative)
def test_module_names_say_something(path):
    words = {word for part in path.relative_to(ROOT).with_suffix("").parts for word in part.split("_")}
    assert not words & VAGUE


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_no_broad_except_no_cuda_calls_and_print_only_in_commands(path):
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: bare except"
            caught = {name.id for name in ast.walk(node.type) if isinstance(name, ast.Name)}
            assert not caught & {"Exception", "BaseException"}, f"line {node.lineno}: too broad"
        if isinstance(node, ast.Call):
            is_method = isinstance(node.func, ast.Attribute)
            assert not (is_method and node.func.attr == "cuda"), f"line {node.lineno}: the device comes from tensors"
            assert path.parts[len(ROOT.parts)] == "cli" or called_name(node) != "print", f"line {node.lineno}"


@pytest.mark.parametrize("folder", sorted(p.parent for p in (ROOT / "kernels").glob("*/__init__.py")), ids=relative)
def test_every_op_has_its_definition_its_kernel_and_a_test(folder):
    expected = {"kernel.py"} if folder.name in NOT_OPS else {"reference.py", "kernel.py", "op.py"}
    assert expected <= {path.name for path in folder.iterdir()}
    if folder.name not in NOT_OPS:
        assert list((ROOT / "tests" / "kernels").glob(f"test_{folder.name}*.py"))


@pytest.mark.parametrize("path", [path for path in TESTS if path.name.startswith("test_")], ids=relative)
def test_every_test_can_fail(path):
    functions = {node.name: node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef)}

    def asserts(name: str, seen: frozenset[str] = frozenset()) -> bool:
        for node in ast.walk(functions[name]):
            if isinstance(node, ast.Assert):
                return True
            if isinstance(node, ast.Call):
                called = called_name(node)
                if called.startswith("assert") or called in {"raises", "warns", "gradcheck"}:
                    return True
                if called in functions and called not in seen and asserts(called, seen | {name}):
                    return True
        return False

    assert [name for name in functions if name.startswith("test_") and not asserts(name)] == []


@pytest.mark.parametrize("folder", sorted({path.parent for path in TESTS}), ids=relative)
def test_tests_mirror_the_tree(folder):
    inside = folder.relative_to(ROOT / "tests")
    if not inside.parts or inside.parts[0] in {"end_to_end", "benchmarks"}:
        return
    mirrored = ROOT / inside if inside.parts[0] in {"cli", "kernels", "configs"} else ROOT / "isopts" / inside
    assert mirrored.is_dir(), f"nothing to test in {relative(mirrored)}"


def test_importing_every_module_has_no_effect(tmp_path):
    names = [module_name(path) for path in SOURCES]
    program = (
        "import importlib, threading, torch, warp\n"
        "before = torch.get_num_threads(), torch.initial_seed(), threading.active_count()\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "assert before == (torch.get_num_threads(), torch.initial_seed(), threading.active_count())\n"
        "from warp._src import context\n"
        "assert context.runtime is None, 'Warp was initialised'\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_supported_python_versions_parse_every_file():
    assert 'requires-python = ">=3.10"' in (ROOT / "pyproject.toml").read_text()
    for path in [*SOURCES, *TESTS]:
        assert ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 10)), relative(path)
