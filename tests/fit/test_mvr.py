"""fit-mvr as a library call on images of a small ball: accuracy, frames, colours, resuming, safety."""

import json

import imageio.v3 as imageio
import numpy as np
import pytest
import torch

from isopts.config import load_config
from isopts.data.meshes import read_mesh
from isopts.data.points import read_points
from isopts.errors import DivergedError
from isopts.fit.colors.finish import finish_colors
from isopts.fit.fitted.fitted_field import FittedField
from isopts.fit.fitted.view_preview import render_fitted
from isopts.fit.views import session
from isopts.fit.views.config import MvrConfig
from isopts.run.checkpoint import load_checkpoint

pytestmark = pytest.mark.usefixtures("coarse_comparison")
QUICK = ("output.preview=false", "output.isopoints=0", "fit.steps=12", "isopoints.every_steps=5", "fit.log_every=3")


def test_a_ball_in_world_coordinates_with_its_colours(ball, tmp_path, fit):
    changes = (
        "fit.steps=120",
        "radiance_rates.learning_rate=0.005",
        "finish.steps_share=1",
        "start.steps=100",
        "data.holdout=[5]",
        "isopoints.write_every=4",
        "fit.mesh_every=120",
        "fit.preview_every=60",
    )
    result, reports, notes = fit(ball.folder, tmp_path / "run", *changes)
    mesh = read_mesh(result.folder.mesh)
    heights = ball.distances(mesh.vertices) / ball.radius
    assert np.abs(heights).mean() < 0.02
    assert np.abs(heights).max() < 0.1
    assert mesh.is_closed()
    assert mesh.volume() == pytest.approx(4 / 3 * np.pi * ball.radius**3, rel=0.05)
    outward = (mesh.vertices - ball.center) / np.linalg.norm(mesh.vertices - ball.center, axis=1, keepdims=True)
    assert np.einsum("ij,ij->i", mesh.normals, outward).mean() > 0.98
    errors = np.abs(mesh.colors / 255 - ball.colors(ball.center + ball.radius * outward)).mean(axis=1)
    assert errors.mean() < 0.08  # grey would be off by 0.25
    assert np.quantile(errors, 0.95) < 0.2
    cloud, _ = read_points(result.folder.isopoints)
    assert len(cloud) == 300
    assert np.abs(ball.distances(cloud.points)).max() < 0.1 * ball.radius
    assert reports[-1].losses["color"] < 0.4 * reports[0].losses["color"]
    assert result.reason == "finished"
    assert_files(result, reports, ball)
    assert "11 views of 48x36 pixels, 1 held out" in notes[-1]
    assert "starts as the visual hull, off by" in notes[-1]


def assert_files(result, reports, ball):
    """What a finished run with every output leaves behind."""
    folder = result.folder
    for path in (folder.config, folder.checkpoint, folder.mesh, folder.isopoints, folder.preview):
        assert path.stat().st_size > 100
    names = {path.relative_to(folder.path).as_posix() for path in folder.path.rglob("step_*")}
    assert {name for name in names if name.startswith("isopoints")} == {
        f"isopoints/step_{step:06d}.ply" for step in (1, 41, 81)
    }
    assert {"meshes/step_000120.ply", "previews/step_000060.png", "previews/step_000120.png"} <= names
    last, final = read_mesh(folder.path / "meshes" / "step_000120.ply"), read_mesh(folder.mesh)
    np.testing.assert_array_equal(last.vertices, final.vertices)  # colours are finished afterwards
    record = folder.read_record()
    assert (record.status, record.command, record.step, record.input) == ("finished", "fit-mvr", 120, str(ball.folder))
    assert record.frame.center == pytest.approx(ball.center, abs=0.1 * ball.radius)
    assert {"visual_hull", "patch_consistency", "point_visibility", "view_choice", "grid_rays", "lazy_adam"} <= set(
        record.kernel_backends
    )
    assert {"read", "start", "fit", "colors", "views", "mesh", "iso-points", "preview"} == set(record.seconds)
    assert json.loads(folder.metrics.read_text())["mesh_closed"] is True
    assert [json.loads(line)["step"] for line in folder.log.read_text().splitlines()] == [r.step for r in reports]
    assert load_config(MvrConfig, str(folder.config)).data.holdout == (5,)
    assert_the_comparison_is_of_the_held_out_view(imageio.imread(folder.views), ball)


def assert_the_comparison_is_of_the_held_out_view(picture, ball):
    """Photograph, rendering, their difference, normals, side by side."""
    assert picture.shape == (36, 4 * 48, 3)
    photograph, rendered, difference, normals = np.split(picture.astype(float), 4, axis=1)
    mask = imageio.imread(ball.folder / "mask" / "005.png") > 127
    expected = np.where(mask[..., None], imageio.imread(ball.folder / "image" / "005.png"), 0)
    np.testing.assert_array_equal(photograph, expected)
    shown = rendered.sum(axis=2) > 0
    assert (shown & mask).sum() / (shown | mask).sum() > 0.9
    assert np.abs(rendered - photograph)[shown & mask].mean() < 25
    np.testing.assert_allclose(difference, (4 * np.abs(rendered - photograph)).clip(0, 252), atol=0)
    assert ((normals.sum(axis=2) > 0) == shown).mean() > 0.99


def test_a_budget_of_seconds_ends_the_fit(ball, tmp_path, fit):
    result, reports, _ = fit(ball.folder, tmp_path / "run", *QUICK, "fit.steps=1000000", "fit.seconds=1.0")
    assert result.reason == "finished"
    assert 1 < result.step < 1000
    assert result.seconds["fit"] < 6
    assert result.folder.mesh.is_file()
    assert float(load_checkpoint(result.folder.path).tensors["seconds"]) == pytest.approx(1.0, abs=1.0)
    assert reports[-1].learning_rate < reports[len(reports) // 2].learning_rate


def test_a_time_limit_still_writes_everything(ball, tmp_path, fit):
    result, _, _ = fit(ball.folder, tmp_path / "run", *QUICK, exit_after=0.0)
    assert (result.reason, result.step) == ("time limit", 0)
    assert result.folder.mesh.is_file()
    assert result.folder.read_record().status == "finished"


def test_a_fit_that_is_stopped_in_its_last_colours_has_its_files_and_can_go_on(ball, tmp_path, fit, monkeypatch):
    def begun(*arguments):
        started.append(0)
        return finish_colors(*arguments)

    started = []
    monkeypatch.setattr(session, "finish_colors", begun)
    result, _, _ = fit(ball.folder, tmp_path / "run", *QUICK, stop_if=lambda: len(started) > 0)
    assert (result.reason, result.step) == ("interrupted", 12)
    assert result.folder.mesh.is_file()
    assert result.folder.read_record().status == "interrupted"
    again, _, _ = fit(ball.folder, tmp_path / "run", *QUICK, resume=True)
    assert (again.reason, again.folder.read_record().status) == ("finished", "finished")
    assert any("unfinished" in name for name in load_checkpoint(again.folder.path).tensors)


def test_colours_that_were_not_fitted_are_not_shown(ball, tmp_path, fit):
    result, _, _ = fit(ball.folder, tmp_path / "run", *QUICK, "losses.color=0")
    assert read_mesh(result.folder.mesh).colors is None
    fitted = FittedField.load(result.folder.path, torch.device("cpu"))
    assert not fitted.has_colors
    camera = fitted.appearance.cameras.select([0])
    shown = render_fitted(fitted, camera)
    assert (shown.colors[shown.mask].amax(dim=1) - shown.colors[shown.mask].amin(dim=1)).max() < 1e-6  # grey


def test_colours_need_not_be_finished(ball, tmp_path, fit):
    result, _, _ = fit(ball.folder, tmp_path / "run", *QUICK, "finish.steps_share=0")
    assert "colors" not in result.seconds
    assert not any("unfinished" in name for name in load_checkpoint(result.folder.path).tensors)


@pytest.mark.parametrize("mode", ["rays", "isopoints"])
def test_the_networks_of_idr_fit_too(ball, tmp_path, fit, mode, monkeypatch):
    monkeypatch.setenv("ISOPTS_CACHE", str(tmp_path / "cache"))
    changes = (
        "field.decoder=sdf",
        *(f"field.sdf.{change}" for change in ("width=64", "depth=3", "skip=2", "features=8", "radius=0.6")),
        "radiance.decoder=network",
        "radiance.network.width=32",
        "radiance.network.depth=2",
        "start.init=sphere",
        "sampling.tracer=sphere",
        f"sampling.mode={mode}",
        "losses.mask=1.0",
    )
    result, reports, notes = fit(ball.folder, tmp_path / "run", *QUICK, *changes)
    assert result.step == 12
    assert reports[-1].losses["total"] < reports[0].losses["total"]
    heights = ball.distances(read_mesh(result.folder.mesh).vertices) / ball.radius
    assert np.abs(heights).mean() < 0.2
    assert "visual hull" not in notes[-1]
    fitted = FittedField.load(result.folder.path, torch.device("cpu"))
    assert fitted.appearance is not None
    mesh = read_mesh(result.folder.mesh)
    again = fitted.mesh(load_config(MvrConfig, str(result.folder.config)).output.mesh)
    np.testing.assert_allclose(again.vertices, mesh.vertices, atol=1e-3)
    assert np.abs(again.colors.astype(int) - mesh.colors).max() <= 1


def test_a_diverging_fit_says_so_and_marks_the_run(ball, tmp_path, fit):
    with pytest.raises(DivergedError, match="diverged at step"):
        fit(ball.folder, tmp_path / "run", *QUICK, "optimizer.learning_rate=1e30", "optimizer.warm_up_steps=0")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "diverged"
