"""`isopts mesh --texture` on a small fit of photographs of a ball in one colour."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from typer.testing import CliRunner

from isopts.cli.app import app

COLOR, CENTER, RADIUS = (90, 120, 160), (100.0, 50.0, -20.0), 10
SMALL = (
    "--set=fit.steps=3",
    "--set=start.steps=40",
    "--set=isopoints.count=500",
    "--set=output.mesh.resolution=32",
    "--set=output.isopoints=0",
    "--set=output.preview=false",
    "--quiet",
)


def isopts(*arguments: object):
    threads = torch.get_num_threads()
    try:
        return CliRunner().invoke(app, [*map(str, arguments)])
    finally:
        torch.set_num_threads(threads)


@pytest.fixture
def run(ball_views: Path, tmp_path: Path) -> Path:
    done = isopts("fit-mvr", ball_views, "-o", tmp_path / "run", "--holdout", "3", *SMALL)
    assert done.exit_code == 0, done.stderr
    return tmp_path / "run"


def test_photographs_become_a_texture_and_the_network_where_they_are_gone(run: Path, tmp_path: Path) -> None:
    target = tmp_path / "ball.glb"
    done = isopts("mesh", run, "--texture", "--texture-size", 256, "-r", 32, "-o", target, "--json")
    assert done.exit_code == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["bake"], summary["texture"], summary["state"]) == ("views", 256, "closed")
    (geometry,) = trimesh.load_scene(target, process=False).dump()
    radius = np.linalg.norm(geometry.vertices - CENTER, axis=1)
    assert radius.mean() == pytest.approx(RADIUS, rel=0.05)
    picture = np.asarray(geometry.visual.material.baseColorTexture.convert("RGB"))
    assert picture.shape == (256, 256, 3)
    assert (picture == COLOR).all(axis=2).mean() > 0.9

    shutil.rmtree(tmp_path / "ball")
    again = isopts("mesh", run, "--texture", "--texture-size", 64, "-r", 24, "-o", tmp_path / "network.glb")
    assert again.exit_code == 0, again.stderr
    assert "from the colour field" in again.stdout
    assert "does not exist" in " ".join(again.stderr.split())
    refused = isopts("mesh", run, "--texture", "--bake", "views", "-r", 24, "-o", tmp_path / "views.glb")
    assert refused.exit_code == 2
    assert not (tmp_path / "views.glb").exists()


def test_an_obj_comes_with_its_files_and_replaces_none_unasked(run: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "ball.png").write_text("mine")
    command = ["mesh", run, "--texture", "--texture-size", 64, "-r", 24, "-o", tmp_path / "out" / "ball.obj"]
    refused = isopts(*command)
    assert refused.exit_code == 2
    assert "ball.png" in refused.stderr.replace("\n", "")
    assert "--overwrite" in refused.stderr
    done = isopts(*command, "--bake", "network", "--overwrite")
    assert done.exit_code == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["ball.mtl", "ball.obj", "ball.png"]
    loaded = trimesh.load_scene(tmp_path / "out" / "ball.obj", process=False)
    assert next(iter(loaded.geometry.values())).visual.material.image.size == (64, 64)


def test_moved_cameras_are_not_those_of_the_fit(run: Path, tmp_path: Path) -> None:
    cameras = dict(np.load(tmp_path / "ball" / "cameras.npz"))
    for view in range(12):
        cameras[f"world_mat_{view}"][:3, 3] += cameras[f"world_mat_{view}"][:3, :3] @ [5.0, 0, 0]
    np.savez(tmp_path / "ball" / "cameras.npz", **cameras)
    refused = isopts("mesh", run, "--texture", "--bake", "views", "-r", 24, "-o", tmp_path / "views.glb")
    assert refused.exit_code == 2
    assert "are not those" in " ".join(refused.stderr.split())


def test_a_surface_from_photographs_has_no_scan_that_ends(run: Path, tmp_path: Path) -> None:
    refused = isopts("mesh", run, "--open", "-o", tmp_path / "open.ply")
    assert refused.exit_code == 2
    assert "the surface of fit-mvr is closed: leave out --open" in " ".join(refused.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--texture", "-o", "ball.ply"], "'ply' has no textures; use one of glb, obj"),
        (["--texture-size", "64"], "give --texture too"),
        (["--bake", "network"], "--bake says how --texture colours"),
    ],
)
def test_bad_arguments_are_one_sentence_and_exit_2(arguments: list[str], sentence: str, tmp_path: Path) -> None:
    refused = isopts("mesh", tmp_path, *arguments)
    assert refused.exit_code == 2
    assert sentence in " ".join(refused.stderr.split())


def test_without_xatlas_nothing_is_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xatlas", None)
    refused = isopts("mesh", tmp_path / "absent", "--texture", "-o", tmp_path / "ball.glb")
    assert refused.exit_code == 2
    assert "pip install xatlas" in " ".join(refused.stderr.split())
