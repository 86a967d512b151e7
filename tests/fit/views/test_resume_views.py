"""fit-mvr goes on where it was stopped, with the same input only, and replaces no run unasked."""

import json
import shutil

import imageio.v3 as imageio
import numpy as np
import pytest
import torch

from isopts.errors import ConfigError, InputError
from isopts.fit.photo import consistency as photo_consistency
from isopts.run.checkpoint import load_checkpoint

pytestmark = pytest.mark.usefixtures("coarse_comparison")
QUICK = ("output.preview=false", "output.isopoints=0", "fit.steps=12", "isopoints.every_steps=5", "fit.log_every=3")


@pytest.mark.parametrize(
    ("changes", "stopped_at"),
    [
        (("photo.carve.until=1",), 6),
        (("sampling.mode=importance", "photo.levels=[0.2]"), 9),
        (("sampling.mode=rays", "exposure.enabled=true"), 6),
    ],
)
def test_a_resumed_fit_equals_an_uninterrupted_one(close_folder, tmp_path, fit, changes, stopped_at, monkeypatch):
    def some_free_points(surfels, *arguments, first):
        return 1.1 * surfels.points[torch.randint(len(surfels.points), (50,), generator=arguments[-1])]

    monkeypatch.setattr(photo_consistency, "find_free_points", some_free_points)
    whole, _, _ = fit(close_folder, tmp_path / "whole", *QUICK, *changes)
    first, _, _ = fit(close_folder, tmp_path / "parts", *QUICK, *changes, stop_after=stopped_at)
    assert (first.reason, first.step) == ("interrupted", stopped_at)
    assert first.folder.read_record().status == "interrupted"
    assert not first.folder.mesh.exists()
    second, reports, _ = fit(close_folder, tmp_path / "parts", *QUICK, *changes, resume=True)
    assert (second.step, reports[0].step) == (12, stopped_at + 3)
    expected, found = load_checkpoint(whole.folder.path), load_checkpoint(second.folder.path)
    for part in ("field", "tensors"):
        stored, again = getattr(expected, part), getattr(found, part)
        assert stored.keys() == again.keys()
        for name in stored.keys() - {"seconds"}:
            assert torch.equal(again[name], stored[name]), name
    assert torch.equal(found.random_states["fit"], expected.random_states["fit"])
    assert second.folder.mesh.read_bytes() == whole.folder.mesh.read_bytes()
    logs = [
        [(line["step"], line["losses"]) for line in map(json.loads, run.folder.log.read_text().splitlines())]
        for run in (whole, second)
    ]
    assert logs[0] == logs[1]
    assert "photo" in logs[0][0][1]


@pytest.fixture
def stopped(ball, tmp_path, fit):
    """Folder of a run that was stopped after three steps."""
    fit(ball.folder, tmp_path / "run", *QUICK, stop_after=3)
    return tmp_path / "run"


def test_resuming_with_other_images_is_refused(ball, stopped, tmp_path, fit):
    other = shutil.copytree(ball.folder, tmp_path / "other")
    image = imageio.imread(other / "image" / "004.png")
    imageio.imwrite(other / "image" / "004.png", image // 2)
    with pytest.raises(InputError, match=r"not the input that the run .* was started with"):
        fit(other, stopped, *QUICK, resume=True)


def test_resuming_with_other_cameras_is_refused(ball, stopped, tmp_path, fit):
    other = shutil.copytree(ball.folder, tmp_path / "other")
    with np.load(other / "cameras.npz") as stored:
        matrices = dict(stored)
    matrices["world_mat_0"][0, 3] += 1e-3
    np.savez(other / "cameras.npz", **matrices)
    with pytest.raises(InputError, match=r"not the input that the run .* was started with"):
        fit(other, stopped, *QUICK, resume=True)


def test_resuming_with_another_configuration_is_refused(ball, stopped, fit):
    with pytest.raises(ConfigError, match=r"losses\.color was 1\.0, now 2\.0"):
        fit(ball.folder, stopped, *QUICK, "losses.color=2", resume=True)


def test_images_may_have_moved(ball, stopped, tmp_path, fit):
    moved = shutil.copytree(ball.folder, tmp_path / "moved")
    result, _, _ = fit(moved, stopped, *QUICK, resume=True)
    assert (result.reason, result.step) == ("finished", 12)


def test_a_budget_of_seconds_goes_on_with_what_it_began_with(ball, tmp_path, fit):
    """Not with what the second start leaves, which takes its own time."""
    budget = (*QUICK, "fit.steps=1000000", "fit.seconds=3")
    first, _, _ = fit(ball.folder, tmp_path / "run", *budget, stop_after=2)
    began_with = float(load_checkpoint(first.folder.path).tensors["fit_seconds"])
    assert began_with == pytest.approx(0.3 * 3)
    second, _, _ = fit(ball.folder, tmp_path / "run", *budget, resume=True)
    tensors = load_checkpoint(second.folder.path).tensors
    assert float(tensors["fit_seconds"]) == began_with
    assert float(tensors["seconds"]) >= began_with


def drop_seconds(stored):
    del stored["tensors"]["seconds"]


def drop_moments(stored):
    del stored["optimizer"]["state"][0]


def drop_random_state(stored):
    stored["random_states"].clear()


def cut_surfels(stored):
    stored["tensors"]["surfel.normals"] = stored["tensors"]["surfel.normals"][:5]


def cut_cosines(stored):
    stored["tensors"]["surfel.cosines"] = stored["tensors"]["surfel.cosines"][:, :3]


def drop_errors(stored):
    del stored["tensors"]["surfel.errors"]


def flatten_grid(stored):
    stored["tensors"]["sampled_field"] = stored["tensors"]["sampled_field"].flatten()


def drop_cameras(stored):
    del stored["tensors"]["camera.sizes"]


def cut_rotations(stored):
    stored["tensors"]["camera.rotations"] = stored["tensors"]["camera.rotations"][:, :2]


def lose_a_camera(stored):
    stored["tensors"]["camera.translations"][3, 1] = float("nan")


def lose_a_colour(stored):
    name = next(name for name in stored["tensors"] if name.startswith("radiance.layers"))
    stored["tensors"][name].view(-1)[0] = float("nan")


@pytest.mark.parametrize(
    "damage",
    [
        cut_rotations,
        lose_a_camera,
        lose_a_colour,
        drop_seconds,
        drop_moments,
        drop_random_state,
        cut_surfels,
        cut_cosines,
        drop_errors,
        flatten_grid,
        drop_cameras,
    ],
)
def test_a_damaged_checkpoint_is_refused(ball, stopped, fit, damage):
    path = stopped / "checkpoint.pt"
    stored = torch.load(path, weights_only=True)
    damage(stored)
    torch.save(stored, path)
    with pytest.raises(InputError, match="damaged"):
        fit(ball.folder, stopped, *QUICK, resume=True)


def test_finished_colours_are_shown_and_the_fit_goes_on_with_its_own(ball, tmp_path, fit):
    changes = (*QUICK, "fit.steps=100000")
    first, _, _ = fit(ball.folder, tmp_path / "run", *changes, exit_after=0.2)
    stored = load_checkpoint(first.folder.path).tensors
    again, _, _ = fit(ball.folder, tmp_path / "run", *changes, exit_after=0.0, resume=True)
    after = load_checkpoint(again.folder.path).tensors
    assert again.step == first.step > 0
    assert stored.keys() == after.keys()
    assert all(torch.equal(stored[name], after[name]) for name in stored.keys() - {"seconds"})
    own = [name for name in stored if name.startswith("unfinished_radiance.layers")]
    assert own
    assert not any(torch.equal(stored[name], stored[name.removeprefix("unfinished_")]) for name in own)
    assert "colors" in first.seconds


def test_a_finished_run_is_not_overwritten_unasked(ball, stopped, fit):
    before = (stopped / "run.json").read_bytes()
    with pytest.raises(InputError, match="--overwrite"):
        fit(ball.folder, stopped, *QUICK)
    assert (stopped / "run.json").read_bytes() == before
    result, _, _ = fit(ball.folder, stopped, *QUICK, overwrite=True)
    assert result.step == 12
