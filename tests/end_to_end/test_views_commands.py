"""From a shape to its images and back: every command for posed images, as a user types it."""

import json

import numpy as np
import pytest

from isopts.data.meshes import read_mesh
from isopts.data.points import read_points

SMALL = (
    "field.grid.levels=4",
    "field.grid.finest_resolution=40",
    "field.grid.log2_table_size=15",
    "radiance.grid.levels=4",
    "radiance.grid.finest_resolution=48",
    "radiance.grid.log2_table_size=13",
    "start.steps=80",
    "isopoints.count=800",
    "isopoints.every_steps=30",
    "sampling.colors=300",
    "sampling.patches=300",
    "sampling.silhouettes=400",
    "sampling.eikonal=200",
    "sampling.curvature=100",
    "output.mesh.resolution=64",
    "output.isopoints=500",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, isopts):
    """A working folder with posed images of a torus and a run on them."""
    folder = tmp_path_factory.mktemp("views")
    isopts("make-views", "torus", "-o", "torus", "--views", 16, "--size", 96, 72, "--fixed-lights", "-q", cwd=folder)
    changes = [part for change in SMALL for part in ("--set", change)]
    options = ("--threads", 1, "--holdout", "2,9", "--json", "-q", "--set", "fit.steps=150", *changes)
    stdout, _ = isopts("fit-mvr", "torus", "-o", "run", *options, cwd=folder)
    (folder / "result.json").write_text(stdout)
    return folder


def test_check_finds_nothing_wrong(folder, isopts):
    report = json.loads(isopts("check", "torus", "--json", cwd=folder)[0])
    assert report["ok"]
    assert report["views"] == 16
    assert report["agreement"]["mean_iou"] > 0.95


def test_the_fit_is_the_torus_with_its_hole(folder):
    result = json.loads((folder / "result.json").read_text())
    assert (result["reason"], result["step"], result["metrics"]["mesh_components"]) == ("finished", 150, 1)
    mesh = read_mesh(folder / "run" / "mesh.ply")
    assert mesh.is_closed()
    ring = np.hypot(mesh.vertices[:, 0], mesh.vertices[:, 1]) - 0.5
    assert np.abs(np.hypot(ring, mesh.vertices[:, 2]) - 0.25).mean() < 0.015
    assert mesh.colors is not None
    assert mesh.colors.std() > 5
    assert {path.name for path in (folder / "run").iterdir()} >= {"views.png", "preview.png", "checkpoint.pt"}


def test_its_own_images_judge_it(folder, isopts):
    figures = json.loads(isopts("evaluate", "run", "--json", cwd=folder)[0])["predictions"][0]["figures"]
    assert figures["mask_iou_mean"] > 0.93
    assert figures["psnr_heldout_mean"] > 18
    assert figures["chamfer_l1_mean"] < 0.015


def test_isopoints_mesh_and_pictures_of_the_run(folder, isopts):
    isopts("extract-isopoints", "run", "-n", 700, "-o", "points.ply", "-q", cwd=folder)
    assert 650 < len(read_points(folder / "points.ply")[0]) <= 700
    isopts("mesh", "run", "-r", 48, "-o", "coarse.obj", cwd=folder)
    assert len(read_mesh(folder / "coarse.obj").faces) > 1000
    isopts("render", "run", "--orbit", 3, "-o", "orbit", "-q", cwd=folder)
    assert len(list((folder / "orbit" / "color").glob("*.png"))) == 3
