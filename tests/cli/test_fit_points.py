"""Options of fit-points: which configuration they ask for."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from isopts.cli.app import app
from isopts.cli.fit_options import Preset
from isopts.cli.fit_points import _settings
from isopts.config import load_config
from isopts.errors import InputError
from isopts.fit.clouds.config import PointsConfig
from isopts.fit.resume import stored_config
from isopts.isopoints.edge_aware import EdgeAwareConfig


def run(*arguments: object):
    return CliRunner().invoke(app, ["fit-points", *map(str, arguments)])


def test_the_default_preset_is_the_default() -> None:
    assert _settings(Preset.DEFAULT, None, [], None) == _settings(None, None, [], None) == PointsConfig()


@pytest.mark.parametrize("preset", Preset)
def test_keys_may_be_set_on_top_of_a_preset(preset: Preset) -> None:
    changed = load_config(PointsConfig, preset.config, ["fit.steps=7"])
    assert _settings(preset, None, ["fit.steps=7"], None) == changed
    assert changed.fit.steps == 7
    assert changed.output == load_config(PointsConfig, preset.config).output


def test_ear_takes_the_setting_that_the_library_has(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["make-scan", "sphere", "--points", "500", "-o", str(tmp_path / "scan.ply")])
    small = ("--preset", "preview", "--set", "fit.steps=5", "--set", "output.mesh.resolution=32")
    done = run(tmp_path / "scan.ply", "-o", tmp_path / "run", *small, "--ear")
    assert done.exit_code == 0, done.stderr
    assert (
        stored_config(tmp_path / "run", PointsConfig, "fit-points").isopoints.extraction.edge_aware == EdgeAwareConfig()
    )


def test_a_preset_and_a_configuration_exclude_each_other() -> None:
    with pytest.raises(InputError, match="--preset fine and --config points_paper both"):
        _settings(Preset.FINE, "points_paper", [], None)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--preset", "preview", "--config", "points_fast"], "give one of them"),
        (["--preset", "quick"], "is not one of 'preview', 'default', 'fine'"),
        (["--preset", "preview", "--set", "fit.step=3"], "did you mean 'fit.steps'"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    result = run(tmp_path / "scan.ply", *arguments)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.replace("│", " ").split())


def test_a_preview_of_a_small_scan(tmp_path: Path) -> None:
    scan, folder = tmp_path / "scan.ply", tmp_path / "run"
    CliRunner().invoke(app, ["make-scan", "sphere", "--points", "3000", "-o", str(scan)])
    result = run(scan, "-o", folder, "--preset", "preview", "--json", "--quiet", "--threads", 1)
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert list(report["seconds"]) == ["start-up", "read", "prepare", "fit", "mesh"]
    assert json.loads((folder / "run.json").read_text())["seconds"] == report["seconds"]
    assert report["step"] == load_config(PointsConfig, "points_preview").fit.steps
    assert report["metrics"]["mesh_closed"]
    assert report["metrics"]["mesh_components"] == 1
    assert report["metrics"]["mesh_area"] == pytest.approx(4 * 3.14159 * 0.75**2, rel=0.02)
    assert sorted(path.name for path in folder.iterdir()) == [
        "checkpoint.pt", "config.yml", "log.jsonl", "mesh.ply", "metrics.json", "run.json",
    ]  # fmt: skip
    repeated = run(scan, "-o", folder, "--preset", "default", "--resume")
    assert repeated.exit_code == 2
    assert "has another configuration" in repeated.stderr
