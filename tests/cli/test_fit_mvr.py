"""Options of fit-mvr: which images and configuration they ask for, and what is said about mistakes."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from isopts.cli.app import app
from isopts.data.meshes import read_mesh
from isopts.data.points import write_points
from isopts.fit.fitted import view_preview
from isopts.fit.resume import stored_config
from isopts.fit.views.config import MvrConfig
from isopts.run.folder import RunFolder
from isopts.run.record import RunRecord

CENTER, RADIUS = np.array([100.0, 50.0, -20.0]), 10.0  # of ball_views
SMALL = {
    "field.grid.levels": 2,
    "field.grid.base_resolution": 8,
    "field.grid.finest_resolution": 16,
    "radiance.grid.levels": 2,
    "radiance.grid.finest_resolution": 32,
    "start.steps": 60,
    "fit.steps": 6,
    "fit.sampled_resolution": 24,
    "isopoints.count": 200,
    "isopoints.extraction.cell_resolution": 24,
    "output.mesh.resolution": 32,
    "output.isopoints": 0,
    "output.preview": "false",
}
QUICK = [part for key, value in SMALL.items() for part in ("--set", f"{key}={value}")]


@pytest.fixture(autouse=True)
def quick_and_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The default run folder is in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(view_preview, "_RESOLUTION", 32)


def run(*arguments: object):
    return CliRunner().invoke(app, ["fit-mvr", *map(str, arguments), "--device", "cpu", "--threads", "1"])


def message(result) -> str:
    return " ".join(result.stderr.replace("│", " ").split())


def test_a_run_is_named_after_its_images_and_tells_what_came_out(ball_views: Path) -> None:
    done = run(ball_views, *QUICK, "--holdout", "1,4", "--seed", "3", "--json")
    assert done.exit_code == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["run"], result["reason"], result["step"]) == (str(Path("runs") / "ball"), "finished", 6)
    assert result["metrics"]["mesh_closed"] is True
    config = stored_config(Path("runs/ball"), MvrConfig, "fit-mvr")
    assert (config.data.holdout, config.seed, config.fit.steps) == ((1, 4), 3, 6)
    assert config.data.path == str(ball_views.resolve())
    distances = np.linalg.norm(read_mesh("runs/ball/mesh.ply").vertices - CENTER, axis=1)
    assert np.abs(distances - RADIUS).mean() < 0.05 * RADIUS


def test_resume_alone_continues_and_a_run_is_not_replaced_unasked(ball_views: Path) -> None:
    stopped = run(ball_views, *QUICK, "--exit-after", "0")
    assert stopped.exit_code == 0, stopped.stderr
    again = run(ball_views, *QUICK)
    assert again.exit_code == 2
    assert "--overwrite" in message(again)
    assert "--resume" in message(again)
    resumed = run("-o", "runs/ball", "--resume", "--json")
    assert resumed.exit_code == 0, resumed.stderr
    assert json.loads(resumed.stdout)["step"] == 6
    repeated = run(ball_views, *QUICK, "--resume")
    assert repeated.exit_code == 0, repeated.stderr
    changed = run(ball_views, "--set", "fit.steps=9", "--resume")
    assert changed.exit_code == 2
    assert "has another configuration" in message(changed)


def test_no_masks_and_known_points_are_kept_in_the_configuration(ball_views: Path) -> None:
    shutil.rmtree(ball_views / "mask")
    directions = np.random.default_rng(0).normal(size=(300, 3))
    points = CENTER + RADIUS * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    write_points("known.ply", points)
    done = run(ball_views, *QUICK, "--no-masks", "--prior", "known.ply", "--json")
    assert done.exit_code == 0, done.stderr
    assert "300 known points" in message(done)  # the images have no texture
    assert json.loads(done.stdout)["metrics"]["mesh_closed"] is True
    config = stored_config(Path("runs/ball"), MvrConfig, "fit-mvr")
    assert (config.data.views.masks.source, config.data.prior) == ("none", str(Path("known.ply").resolve()))
    distances = np.linalg.norm(read_mesh("runs/ball/mesh.ply").vertices - CENTER, axis=1)
    assert np.abs(distances - RADIUS).mean() < 0.05 * RADIUS


def test_resuming_with_other_images_is_refused(ball_views: Path, tmp_path: Path) -> None:
    assert run(ball_views, *QUICK, "--exit-after", "0").exit_code == 0
    other = shutil.copytree(ball_views, tmp_path / "other")
    with np.load(other / "cameras.npz") as stored:
        matrices = dict(stored)
    matrices["world_mat_0"][0, 3] += 1e-3
    np.savez(other / "cameras.npz", **matrices)
    refused = run(other, "-o", "runs/ball", "--resume")
    assert refused.exit_code == 2
    assert "not the input that the run in 'runs/ball' was started with" in message(refused)


def test_a_budget_in_seconds_replaces_the_steps(ball_views: Path) -> None:
    done = run(ball_views, *QUICK, "--set", "fit.steps=1000000", "--budget", "1", "--json")
    assert done.exit_code == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["reason"] == "finished"
    assert 0 < result["step"] < 1000


def test_the_configuration_may_name_the_images_and_the_run(ball_views: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text(f"data:\n  path: {ball_views}\n")
    done = run("--config", tmp_path / "mine.yml", *QUICK, "--exit-after", "0", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["run"] == str(Path("runs") / "mine")


def test_files_that_a_configuration_names_are_found_from_any_folder_later(ball_views: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yml").write_text(f"data:\n  path: {os.path.relpath(ball_views)}\n")
    done = run("--config", tmp_path / "mine.yml", *QUICK, "--exit-after", "0")
    assert done.exit_code == 0, done.stderr
    assert stored_config(Path("runs/mine"), MvrConfig, "fit-mvr").data.path == str(ball_views.resolve())


def test_the_result_can_be_copied_whole(ball_views: Path) -> None:
    folder = Path("a folder with a long name that a terminal of eighty columns could not show whole") / "[red]ball"
    done = run(ball_views, *QUICK, "-o", folder, "--exit-after", "0")
    assert done.exit_code == 0, done.stderr
    assert f"mesh     {folder / 'mesh.ply'}, " in done.stdout


def test_a_run_of_another_command_is_not_resumed() -> None:
    Path("scan").mkdir()
    RunFolder(Path("scan")).write_record(RunRecord(command="fit-points", input="scan.ply", input_sha256="abc"))
    refused = run("-o", "scan", "--resume")
    assert refused.exit_code == 2
    assert "'scan' holds a fit-points run; choose another folder with -o." in message(refused)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "No images: give their folder, or `data.path` in the configuration or with --set."),
        (["absent"], "absent' does not exist; expected a folder of posed images."),
        (["ball", "--mask-from", "black", "--invert-masks"], "invert turns masks of files or alpha channels round"),
        (["ball", "--mask-threshold", "0.3"], "threshold tells masks from a black or white background, not from auto"),
        (["ball", "--holdout", "x"], "--holdout x: expected numbers of views, such as 0,10,20."),
        (["ball", "--holdout", "12"], "The held-out view 12 does not exist; the views are 0 ... 11."),
        (["ball", "--set", "fit.step=3"], "unknown key 'fit.step'; did you mean 'fit.steps'?"),
        (["ball", "--set", "losses.eikonal=0", "--set", "losses.silhouette=0"], "each step needs one of them"),
        (["ball", "--set", "sampling.patches=0"], "losses.photo acts on sampling.patches"),
        (["ball", "--config", "mvr_slow"], "Configuration 'mvr_slow' does not exist"),
        (["ball", "--resume"], "There is no run in 'runs/ball' to resume; leave out --resume to start one."),
        (["ball", "--format", "exr"], "'data.views.format'"),
        (["ball", "--no-masks", "--mask-from", "black"], "--no-masks is given together with options about masks"),
        (["ball", "--mask-from", "none", "--invert-masks"], "--mask-from none is given together with options about"),
        (["ball", "--mask-from", "none", "--mask-threshold", "0.2"], "--mask-from none is given together with options"),
        (["ball", "--no-masks", "--set", "start.init=hull"], "start.init=hull needs masks, there are none"),
        (["ball", "--no-masks", "--prior", "absent.ply"], "absent.ply' does not exist; expected a point cloud file."),
    ],
)
def test_mistakes_are_named_and_leave_no_run(ball_views: Path, arguments: list[str], sentence: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2, result.stderr
    assert sentence in message(result)
    assert result.stdout == ""
    assert not Path("runs").exists()
