"""What a user installs: the same package from a wheel and from an editable checkout."""

import re
import shutil
import subprocess
import sys
import sysconfig
from ast import literal_eval
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = {"isopts": ROOT / "isopts", "isopts.cli": ROOT / "cli", "isopts.kernels": ROOT / "kernels"}
FOLDERS["isopts.configs"] = ROOT / "configs"


def installed_files() -> set[str]:
    """Where every source file and every configuration belongs."""
    files = set()
    for package, folder in FOLDERS.items():
        for path in [*folder.rglob("*.py"), *folder.rglob("*.yml")]:
            files.add(f"{package.replace('.', '/')}/{path.relative_to(folder).as_posix()}")
    return files


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the sources: a build leaves folders behind."""
    copy = tmp_path_factory.mktemp("checkout") / "isopts"
    shutil.copytree(
        ROOT, copy, ignore=shutil.ignore_patterns(".*", "tests", "*.egg-info", "__pycache__", "build", "runs")
    )
    return copy


def pip(*arguments, python=sys.executable):
    command = [sys.executable, "-m", "pip", "--python", str(python), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_package_list_names_every_folder_in_order():
    listed = literal_eval(re.search(r"^packages = (\[.*?^\])", (ROOT / "pyproject.toml").read_text(), re.M | re.S)[1])
    assert listed == sorted(listed)
    assert set(listed) == {file.rpartition("/")[0].replace("/", ".") for file in installed_files()}
    assert {file for file in installed_files() if file.endswith("__init__.py")} == {
        f"{name.replace('.', '/')}/__init__.py" for name in listed
    }


@pytest.fixture(scope="module")
def wheel(checkout, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--no-build-isolation", "--quiet", "-w", folder, checkout)
    return next(folder.glob("*.whl"))


def test_wheel_holds_exactly_the_sources(wheel):
    from zipfile import ZipFile

    with ZipFile(wheel) as archive:
        names = archive.namelist()
        entry_points = archive.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()
    assert {name for name in names if ".dist-info/" not in name} == installed_files()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"isopts"}
    assert "isopts = isopts.cli.app:main" in entry_points
    assert wheel.name.endswith("-py3-none-any.whl")  # nothing is compiled
    assert any(name.endswith("licenses/LICENSE") for name in names)


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_an_installation_works_from_any_folder(kind, wheel, checkout, tmp_path):
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    scripts = environment / Path(sysconfig.get_path("scripts")).name
    python = scripts / Path(sys.executable).name
    packages = sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)})
    Path(packages, "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")  # torch and the like
    source = [wheel] if kind == "wheel" else ["--editable", checkout]
    pip("install", "--no-deps", "--no-build-isolation", "--no-index", "--quiet", *source, python=python)

    program = (
        "import isopts, isopts.cli.app, isopts.kernels.launch, isopts.configs\n"
        "from importlib.resources import files\n"
        "for module in (isopts, isopts.cli.app, isopts.kernels.launch, isopts.configs): print(module.__file__)\n"
        "print(*sorted(entry.name for entry in files('isopts.configs').iterdir() if entry.name.endswith('.yml')))\n"
        "try: import kernels\n"
        "except ImportError: print('nothing else is installed')"
    )
    found = subprocess.run([python, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    *files, configs, last = found.stdout.splitlines()
    home = Path(packages) if kind == "wheel" else checkout
    assert all(Path(file).is_relative_to(home) for file in files)
    assert configs.split() == sorted(path.name for path in (ROOT / "configs").glob("*.yml"))
    assert last == "nothing else is installed"
    shown = subprocess.run([scripts / "isopts", "--version"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("isopts ")


def test_constraints_pin_what_is_declared():
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split("\n") if "==" in line)
    assert pins["torch"] == "2.13.0"
    text = (ROOT / "pyproject.toml").read_text()
    required = re.findall(r'^    "([a-z0-9-]+)>=', text, re.M)
    assert len(required) >= 10
    assert set(required) <= {name.lower() for name in pins}
    assert "://" not in (ROOT / "constraints.txt").read_text()
