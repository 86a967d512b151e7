import json
from pathlib import Path

import numpy as np
import pytest
from plyfile import PlyData
from typer.testing import CliRunner

from isopts.cli.app import app
from isopts.field.build import FieldConfig, build_field
from isopts.geometry.frames import WorldToUnit
from isopts.run.checkpoint import Checkpoint, save_checkpoint

RADIUS = 0.5  # of the sphere that a grid field starts as, unit frame
CENTER, SCALE = (400_000.0, 5_000_000.0, 120.0), 0.01


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A sphere of radius 50 at geo-referenced coordinates."""
    config = FieldConfig()
    state = build_field(config).state_dict()
    path = tmp_path / "checkpoint.pt"
    plain = {"field": config.model_dump(mode="json")}
    save_checkpoint(path, Checkpoint("fit-points", 7, plain, WorldToUnit(CENTER, SCALE), state))
    return path


def run(*arguments: str | Path) -> tuple[int, str, str]:
    result = CliRunner().invoke(app, ["extract-isopoints", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("options", [[], ["--edge-aware"]])
def test_points_normals_and_curvature_are_in_input_coordinates(checkpoint: Path, tmp_path: Path, options) -> None:
    target = tmp_path / "points.ply"
    code, out, _ = run(checkpoint, "-n", 2000, "-o", target, "--json", *options)
    assert code == 0
    assert json.loads(out)["count"] == 2000
    vertices = PlyData.read(target)["vertex"]
    points = np.stack([vertices[name] for name in "xyz"], axis=1)
    normals = np.stack([vertices[name] for name in ("nx", "ny", "nz")], axis=1)
    radii = np.linalg.norm(points - CENTER, axis=1)
    assert points.dtype == np.float64
    assert np.allclose(radii, RADIUS / SCALE, rtol=0.03)
    assert ((points - CENTER) * normals).sum(axis=1).min() > 0.97 * RADIUS / SCALE
    assert np.median(vertices["curvature"]) == pytest.approx(SCALE / RADIUS, rel=0.05)


def test_the_table_names_the_file_and_the_quality(checkpoint: Path, tmp_path: Path) -> None:
    target = tmp_path / "points.xyz"
    code, out, _ = run(tmp_path, "-n", 300, "-o", target)
    assert code == 0
    assert str(target) in out
    assert "largest hole" in out
    assert len(target.read_text().splitlines()) == 300


def test_seeds_repeat_the_file(checkpoint: Path, tmp_path: Path) -> None:
    targets = [tmp_path / f"{name}.ply" for name in ("a", "b", "c")]
    for target, seed in zip(targets, (1, 1, 2), strict=True):
        assert run(checkpoint, "-n", 200, "-o", target, "--seed", seed, "--quiet")[:2] == (0, "")
    first, second, other = (target.read_bytes() for target in targets)
    assert first == second
    assert first != other


def test_mistakes_are_one_sentence(checkpoint: Path, tmp_path: Path) -> None:
    existing = tmp_path / "there.ply"
    existing.write_text("mine")
    for arguments, sentence in (
        ((checkpoint, "-o", existing), "--overwrite"),
        ((checkpoint, "-o", tmp_path / "points.obj"), "no known format"),
        ((tmp_path / "missing.pt", "-o", tmp_path / "new.ply"), "does not exist"),
    ):
        code, _, error = run(*arguments)
        assert code == 2
        assert sentence in error
    assert existing.read_text() == "mine"
    assert run(checkpoint, "-n", 50, "-o", existing, "--overwrite")[0] == 0
    assert existing.read_bytes().startswith(b"ply")
