import json
from pathlib import Path

import numpy as np
import pytest
import torch
from plyfile import PlyData
from typer.testing import CliRunner

from isopts.cli.app import app
from isopts.data.meshes import read_mesh
from isopts.field.build import FieldConfig, build_field
from isopts.field.grid import GridConfig
from isopts.geometry.frames import WorldToUnit
from isopts.run.checkpoint import Checkpoint, save_checkpoint

CENTER, SCALE = (4.5e5, 5.4e6, 310.0), 0.02  # geo-referenced; the sphere of radius 0.5 has radius 25


def run(*arguments: object):
    return CliRunner().invoke(app, ["mesh", *map(str, arguments)])


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    config = FieldConfig(grid=GridConfig(levels=2, finest_resolution=24))
    field = build_field(config, torch.Generator().manual_seed(1))
    path = tmp_path / "run" / "checkpoint.pt"
    path.parent.mkdir()
    saved = Checkpoint(
        command="fit-points",
        step=600,
        config={"field": config.model_dump()},
        frame=WorldToUnit(CENTER, SCALE),
        field=field.state_dict(),
    )
    save_checkpoint(path, saved)
    return path


def test_the_mesh_is_in_the_coordinates_of_the_input(checkpoint: Path, tmp_path: Path) -> None:
    result = run(checkpoint, "--resolution", 64, "-o", tmp_path / "out.ply", "--json")
    assert result.exit_code == 0, result.stderr
    mesh = read_mesh(tmp_path / "out.ply")
    summary = json.loads(result.stdout)
    assert summary == {
        "path": str(tmp_path / "out.ply"),
        "vertices": len(mesh.vertices),
        "faces": len(mesh.faces),
        "state": "closed",
    }
    outward = mesh.vertices - np.array(CENTER)
    radius = np.linalg.norm(outward, axis=1)
    np.testing.assert_allclose(radius, 25, rtol=0.02)
    assert mesh.volume() == pytest.approx(4 / 3 * np.pi * 25**3, rel=0.03)
    assert ((mesh.normals * outward).sum(axis=1) / radius).min() > 0.98
    (comment,) = PlyData.read(tmp_path / "out.ply").comments
    assert "input coordinates, step 600" in comment


@pytest.mark.parametrize("suffix", ["obj", "stl", "glb", "off"])
def test_other_formats_from_the_run_folder(checkpoint: Path, tmp_path: Path, suffix: str) -> None:
    result = run(checkpoint.parent, "-r", 24, "-o", tmp_path / f"out.{suffix}", "--largest")
    assert result.exit_code == 0, result.stderr
    assert "closed" in result.stdout
    assert len(read_mesh(tmp_path / f"out.{suffix}", needs_faces=True).faces) > 500


def test_format_names_the_default_output(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(checkpoint, "-r", 24, "--format", "off").exit_code == 0
    assert (tmp_path / "mesh_24.off").is_file()


def test_an_existing_file_stays_unless_asked(checkpoint: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.ply"
    target.write_text("mine")
    result = run(checkpoint, "-r", 24, "-o", target)
    assert result.exit_code == 2
    assert "--overwrite" in result.stderr
    assert target.read_text() == "mine"
    assert run(checkpoint, "-r", 24, "-o", target, "--overwrite").exit_code == 0
    assert len(read_mesh(target).faces) > 500
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.ply", "run"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["-o", "out.step"], "The format 'step' is unknown"),
        (["--format", "step"], "use one of ply, obj, stl, glb, off"),
        (["-o", "out.ply", "--format", "obj"], "contradict"),
        (["-o", "absent/out.ply"], "does not exist"),
    ],
)
def test_bad_arguments_are_one_sentence_and_exit_2(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(checkpoint, *arguments)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())


def test_a_field_without_a_surface_writes_nothing(checkpoint: Path, tmp_path: Path) -> None:
    contents = torch.load(checkpoint, weights_only=True)
    contents["field"]["output_bias"] += 5
    torch.save(contents, checkpoint)
    result = run(checkpoint, "-r", 24, "-o", tmp_path / "out.ply")
    assert result.exit_code == 2
    assert "no surface" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_open_keeps_what_the_scan_supports(checkpoint: Path, tmp_path: Path) -> None:
    result = run(checkpoint, "-r", 48, "-o", tmp_path / "out.ply", "--open")
    assert result.exit_code == 2
    assert "does not tell where the scan ends" in result.stderr
    contents = torch.load(checkpoint, weights_only=True)
    directions = torch.nn.functional.normalize(torch.randn((2000, 3), generator=torch.Generator().manual_seed(0)))
    contents["tensors"] = {
        "isopoint_points": 0.5 * directions,
        "isopoint_gradients": directions,
        "isopoint_clearances": (0.5 * directions[:, 2] - 0.1).clamp_min(0),  # data up to 5 above the file's centre
        "isopoint_spacings": torch.full((2000,), 0.04),
    }
    torch.save(contents, checkpoint)
    assert run(checkpoint, "-r", 48, "-o", tmp_path / "out.ply", "--open").stdout.strip().endswith(", open")
    assert read_mesh(tmp_path / "out.ply").vertices[:, 2].max() - CENTER[2] == pytest.approx(5 + 1, abs=1)
    filled = run(checkpoint, "-r", 48, "-o", tmp_path / "filled.ply", "--open", "--reach", 20)
    assert filled.stdout.strip().endswith(", closed")
    result = run(checkpoint, "-o", tmp_path / "other.ply", "--reach", 20)
    assert result.exit_code == 2
    assert "give --open too" in result.stderr


def test_a_checkpoint_without_a_field_is_damaged(checkpoint: Path, tmp_path: Path) -> None:
    contents = torch.load(checkpoint, weights_only=True)
    contents["config"] = {}
    torch.save(contents, checkpoint)
    result = run(checkpoint, "-o", tmp_path / "out.ply")
    assert result.exit_code == 2
    assert "damaged checkpoint" in result.stderr
