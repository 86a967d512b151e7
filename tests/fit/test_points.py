"""fit-points as a library call on a small sphere: accuracy, frames, resuming, safety."""

import json

import numpy as np
import pytest
import torch

from isopts.config import load_config
from isopts.data.meshes import read_mesh
from isopts.data.points import read_points, write_points
from isopts.errors import DivergedError, InputError
from isopts.fit.clouds.config import PointsConfig
from isopts.fit.conduct import FitRun
from isopts.fit.fitted.fitted_field import FittedField
from isopts.fit.points import fit_points
from isopts.mesh.extract import MeshConfig
from isopts.run.checkpoint import load_checkpoint

CENTER, RADIUS = np.array([500_000.0, 4_600_000.0, 100.0]), 2.0
SMALL = (
    "sampling.data=512",
    "sampling.gaussian=512",
    "sampling.signed=512",
    "sampling.signed_pool=10000",
    "sampling.isopoints=256",
    "isopoints.count=400",
    "isopoints.first_step=20",
    "isopoints.every_steps=15",
    "isopoints.write_every=1",
    "output.mesh.resolution=48",
    "output.isopoints=500",
    "fit.steps=60",
    "fit.mesh_every=30",
    "fit.log_every=10",
    "fit.checkpoint_every=25",
)


@pytest.fixture
def scan(tmp_path):
    generator = np.random.default_rng(0)
    normals = generator.normal(size=(4000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    points = CENTER + normals * (RADIUS + 0.01 * generator.normal(size=(4000, 1)))
    path = tmp_path / "sphere.ply"
    write_points(path, points, normals.astype(np.float32))
    return path


def fit(scan, folder, changes=(), stop_after=None, **options):
    config = load_config(PointsConfig, "points_fast", [*SMALL, *changes])
    reports, notes = [], []

    def stop():
        return stop_after is not None and len(reports) > 0 and reports[-1].step >= stop_after

    run = FitRun(scan, folder, torch.device("cpu"), **options)
    return fit_points(run, config, reports.append, notes.append, stop), reports, notes


def test_a_sphere_far_from_the_origin(scan, tmp_path):
    result, reports, notes = fit(scan, tmp_path / "run")
    mesh = read_mesh(result.folder.mesh)
    distances = np.linalg.norm(mesh.vertices - CENTER, axis=1)
    assert np.abs(distances - RADIUS).mean() < 0.02
    assert mesh.is_closed()
    assert mesh.volume() == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.03)
    cloud, _ = read_points(result.folder.isopoints)
    assert len(cloud) == 500
    outward = (cloud.points - CENTER) / RADIUS
    assert np.einsum("ij,ij->i", cloud.normals, outward).min() > 0.9
    assert result.reason == "finished"
    assert reports[-1].losses["total"] < reports[0].losses["total"]
    assert any("noise about" in note for note in notes)


def test_everything_is_in_the_run_folder(scan, tmp_path):
    result, reports, _ = fit(scan, tmp_path / "run")
    folder = result.folder
    for path in (folder.config, folder.checkpoint, folder.mesh, folder.isopoints, folder.preview):
        assert path.stat().st_size > 100
    record = folder.read_record()
    assert (record.status, record.step, record.input) == ("finished", 60, str(scan))
    assert record.frame.center == pytest.approx(CENTER, abs=0.1)
    assert set(record.seconds) == {"read", "prepare", "fit", "mesh", "iso-points", "preview"}
    backends = record.kernel_backends
    assert {"neighbors", "point_tree", "winding_number", "grid_decoder", "lazy_adam", "point_repulsion"} <= set(
        backends
    )
    assert "grid_encoding" not in backends  # the fused decoder's own kernel does it
    assert "visual_hull" not in backends
    assert set(backends.values()) == {"warp"}
    assert json.loads(folder.metrics.read_text())["mesh_closed"] is True
    assert [json.loads(line)["step"] for line in folder.log.read_text().splitlines()] == [r.step for r in reports]
    steps = sorted(path.name for path in (folder.path / "isopoints").iterdir())
    assert steps == ["step_000020.ply", "step_000035.ply", "step_000050.ply"]
    assert sorted(path.name for path in (folder.path / "meshes").iterdir()) == ["step_000030.ply", "step_000060.ply"]
    assert (folder.path / "meshes" / "step_000060.ply").read_bytes() == folder.mesh.read_bytes()
    repeated = load_config(PointsConfig, str(folder.config))
    assert (
        repeated.field.grid.finest_resolution
        == load_checkpoint(folder.path).config["field"]["grid"]["finest_resolution"]
    )


def test_points_on_a_line_are_refused_before_the_run_folder_is_touched(tmp_path):
    along = np.random.default_rng(0).uniform(size=(200, 1))
    write_points(tmp_path / "line.ply", along * [1.0, 2.0, -0.5])
    with pytest.raises(InputError, match="on one line"):
        fit(tmp_path / "line.ply", tmp_path / "run")
    assert not (tmp_path / "run" / "run.json").exists()


def test_a_finished_run_stays_until_the_scan_that_replaces_it_is_known_to_be_usable(scan, tmp_path):
    fit(scan, tmp_path / "run", stop_after=2)
    before = {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()}
    along = np.random.default_rng(0).uniform(size=(200, 1))
    write_points(tmp_path / "line.ply", along * [1.0, 2.0, -0.5])
    with pytest.raises(InputError, match="on one line"):
        fit(tmp_path / "line.ply", tmp_path / "run", overwrite=True)
    assert {path: path.read_bytes() for path in (tmp_path / "run").rglob("*") if path.is_file()} == before


def test_two_objects_in_one_scan_stay_two(tmp_path):
    generator = np.random.default_rng(0)
    normals = generator.normal(size=(6000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    points = normals + np.where(np.arange(6000) < 3000, -1.5, 1.5)[:, None] * [1, 0, 0]
    write_points(tmp_path / "two.ply", points, normals.astype(np.float32))
    result, _, _ = fit(tmp_path / "two.ply", tmp_path / "run", ["output.preview=false", "fit.steps=240"])
    assert (result.metrics["mesh_components"], result.metrics["mesh_closed"]) == (2, True)
    assert result.metrics["mesh_volume"] == pytest.approx(2 * 4 / 3 * np.pi, rel=0.05)


def test_an_open_scan_stays_open_when_asked(scan, tmp_path):
    cloud, _ = read_points(scan)
    half = cloud.points[:, 2] < CENTER[2]
    write_points(tmp_path / "half.ply", cloud.points[half], cloud.normals[half])
    result, _, _ = fit(tmp_path / "half.ply", tmp_path / "run", ["output.open=true", "output.preview=false"])
    mesh = read_mesh(result.folder.mesh)
    assert result.metrics["mesh_closed"] is False
    assert "mesh_volume" not in result.metrics
    spacing = np.sqrt(2 * np.pi * RADIUS**2 / half.sum())
    assert np.abs(mesh.vertices[:, 2].max() - CENTER[2]) < 2 * spacing
    assert mesh.face_areas().sum() == pytest.approx(2 * np.pi * RADIUS**2, rel=0.06)
    assert np.abs(np.linalg.norm(mesh.vertices - CENTER, axis=1) - RADIUS).max() < 0.15
    isopoints, _ = read_points(result.folder.isopoints)
    assert result.metrics["count"] == len(isopoints) < 450
    assert isopoints.points[:, 2].max() < CENTER[2] + 2 * spacing
    fitted = FittedField.load(result.folder.path, torch.device("cpu"))  # what `isopts mesh --open` does
    again = fitted.trim(fitted.mesh(MeshConfig(resolution=48)), reach=2.5)
    np.testing.assert_allclose(again.vertices, mesh.vertices, atol=1e-9 * CENTER.max())


def test_an_open_fit_without_isopoints_is_trimmed_all_the_same(scan, tmp_path):
    cloud, _ = read_points(scan)
    half = cloud.points[:, 2] < CENTER[2]
    write_points(tmp_path / "half.ply", cloud.points[half], cloud.normals[half])
    changes = ["output.open=true", "output.preview=false", "isopoints.enabled=false"]
    result, _, _ = fit(tmp_path / "half.ply", tmp_path / "run", changes)
    assert result.metrics["mesh_closed"] is False
    fitted = FittedField.load(result.folder.path, torch.device("cpu"))
    with pytest.raises(InputError, match="does not tell where the scan ends"):
        fitted.trim(read_mesh(result.folder.mesh), reach=2.5)


@pytest.mark.parametrize("stopped_at", [10, 40])
def test_a_resumed_fit_equals_an_uninterrupted_one(scan, tmp_path, stopped_at):
    whole, _, _ = fit(scan, tmp_path / "whole")
    first, _, _ = fit(scan, tmp_path / "parts", stop_after=stopped_at)
    assert (first.reason, first.step) == ("interrupted", stopped_at)
    assert first.folder.read_record().status == "interrupted"
    assert not first.folder.mesh.exists()
    second, reports, _ = fit(scan, tmp_path / "parts", resume=True)
    assert reports[0].step > stopped_at
    expected, found = load_checkpoint(whole.folder.path), load_checkpoint(second.folder.path)
    for name, tensor in expected.field.items():
        assert torch.equal(found.field[name], tensor), name
    assert second.folder.mesh.read_bytes() == whole.folder.mesh.read_bytes()
    logged = [json.loads(line) for line in second.folder.log.read_text().splitlines()]
    reference = [json.loads(line) for line in whole.folder.log.read_text().splitlines()]
    assert [(line["step"], line["losses"]) for line in logged] == [(line["step"], line["losses"]) for line in reference]


def test_a_time_limit_still_writes_everything(scan, tmp_path):
    result, _, _ = fit(scan, tmp_path / "run", exit_after=0.0)
    assert result.reason == "time limit"
    assert result.folder.mesh.is_file()
    assert result.folder.read_record().status == "finished"


def test_resuming_with_another_scan_is_refused(scan, tmp_path):
    fit(scan, tmp_path / "run", stop_after=10)
    other = tmp_path / "other.ply"
    write_points(other, np.random.default_rng(1).normal(size=(500, 3)))
    with pytest.raises(InputError, match="not the input"):
        fit(other, tmp_path / "run", resume=True)


def test_a_diverging_fit_says_so_and_marks_the_run(scan, tmp_path):
    with pytest.raises(DivergedError, match="diverged at step"):
        fit(scan, tmp_path / "run", ["optimizer.learning_rate=1e30", "optimizer.warm_up_steps=0"])
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "diverged"


@pytest.mark.parametrize(
    "changes",
    [
        ["isopoints.enabled=false"],
        [
            "isopoints.consolidate_cells=0.0",
            "isopoints.weights=plane",
            "losses.share_by_count=true",
            "losses.isopoint=1.0",
            "losses.isopoint_normal=0.1",
        ],
        ["isopoints.extraction.edge_aware={}", "isopoints.weights=heat_kernel"],
        ["losses.sal=10.0", "losses.off_normal=2.0", "losses.off_surface=1.0", "sampling.uniform=100"],
        ["prepare.denoise_normals=true", "isopoints.weights=none"],
    ],
)
def test_every_option_of_the_recipe_fits_the_sphere(scan, tmp_path, changes):
    result, reports, _ = fit(scan, tmp_path / "run", [*changes, "output.preview=false"])
    vertices = read_mesh(result.folder.mesh).vertices
    assert np.abs(np.linalg.norm(vertices - CENTER, axis=1) - RADIUS).mean() < 0.05
    for change in changes:
        name = change.removeprefix("losses.").partition("=")[0]
        if name in ("sal", "off_normal", "off_surface"):
            assert name in reports[0].losses


@pytest.mark.parametrize(
    "changes",
    [
        ["field.decoder=siren", "field.siren.width=32", "field.siren.depth=2", "optimizer.learning_rate=0.001"],
        ["field.decoder=sdf", "field.sdf.width=64", "field.sdf.depth=3", "field.sdf.skip=2"],
    ],
)
def test_every_decoder_fits_the_sphere(scan, tmp_path, changes, monkeypatch):
    monkeypatch.setenv("ISOPTS_CACHE", str(tmp_path / "cache"))
    result, _, _ = fit(scan, tmp_path / "run", [*changes, "output.preview=false"])
    vertices = read_mesh(result.folder.mesh).vertices
    assert np.abs(np.linalg.norm(vertices - CENTER, axis=1) - RADIUS).mean() < 0.1


def test_normals_that_were_estimated_have_a_weight_of_their_own(scan, tmp_path):
    cloud, _ = read_points(scan)
    write_points(tmp_path / "bare.ply", cloud.points)
    changes = ["losses.normal_estimated=0", "fit.steps=10", "output.preview=false"]
    _, reports, _ = fit(tmp_path / "bare.ply", tmp_path / "bare", changes)
    assert reports[0].losses["normal"] == 0
    _, reports, _ = fit(scan, tmp_path / "given", changes)
    assert reports[0].losses["normal"] > 0


def test_a_few_points_are_fitted(tmp_path):
    points = np.random.default_rng(3).uniform(size=(60, 3))
    write_points(tmp_path / "few.ply", points)
    result, _, _ = fit(tmp_path / "few.ply", tmp_path / "few", ["fit.steps=20", "output.preview=false"])
    assert result.reason == "finished"
