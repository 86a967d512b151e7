"""fit-mvr with cameras that are wrong by pixels: they are found again, used everywhere, and kept when a run resumes."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from isopts.data.views import read_views
from isopts.errors import InputError
from isopts.fit.fitted.fitted_field import FittedField
from isopts.fit.fitted.photographs import fitted_photographs
from isopts.fit.fitted.refined_views import fitted_numbers, with_refined_cameras
from isopts.fit.fitted.render_cameras import folder_cameras
from isopts.geometry.projection_matrix import decompose_projection
from isopts.run.checkpoint import load_checkpoint

pytestmark = pytest.mark.usefixtures("coarse_comparison")
QUICK = ("output.preview=false", "output.isopoints=0", "fit.steps=12", "isopoints.every_steps=4", "fit.log_every=2")
REFINED = ("cameras.enabled=true", "cameras.rounds=[0.3, 0.6]", "cameras.tracks=400")
HELD_OUT = 5


@pytest.fixture(scope="module")
def wrong(close_folder, tmp_path_factory) -> Path:
    """The close views, each camera turned by a degree about a random axis."""
    folder = shutil.copytree(close_folder, tmp_path_factory.mktemp("wrong") / "views")
    with np.load(folder / "cameras.npz") as stored:
        matrices = dict(stored)
    generator = np.random.default_rng(0)
    for name in sorted(name for name in matrices if name.startswith("world_mat_")):
        camera = decompose_projection(matrices[name][:3])
        axis = generator.normal(size=3)
        turn = Rotation.from_rotvec(np.radians(1.0) * axis / np.linalg.norm(axis)).as_matrix()
        rotation = turn @ camera.rotation
        matrices[name][:3] = camera.intrinsics @ np.column_stack([rotation, -rotation @ camera.center])
    np.savez(folder / "cameras.npz", **matrices)
    return folder


@pytest.fixture(scope="module")
def refine(fit):
    """(views, folder, *changes, **options) -> result."""

    def refined(views, folder, *changes, **options):
        path = f"data.path={json.dumps(str(views))}"
        return fit(views, folder, *QUICK, *REFINED, path, *changes, **options)[0]

    return refined


@pytest.fixture(scope="module")
def run(wrong, tmp_path_factory, refine) -> Path:
    """Finished, one view held out."""
    folder = tmp_path_factory.mktemp("refined") / "run"
    refine(wrong, folder, f"data.holdout=[{HELD_OUT}]")
    return folder


def pixels(folder: Path) -> torch.Tensor:
    """(V, N, 2) of places on the ball, by the cameras.npz of a folder."""
    with np.load(folder / "cameras.npz") as stored:
        matrices = np.stack([stored[f"world_mat_{view}"][:3] for view in range(36)])
        scale = stored["scale_mat_0"]
    directions = np.random.default_rng(0).normal(size=(50, 3))
    places = np.array([310.0, -220.0, 540.0]) + 40 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    assert np.linalg.norm(scale[:3, 3] - [310.0, -220.0, 540.0]) < 10
    homogeneous = np.einsum("vij,nj->vni", matrices[..., :3], places) + matrices[:, None, :, 3]
    return torch.from_numpy(homogeneous[..., :2] / homogeneous[..., 2:])


def test_wrong_cameras_are_found_again(run, close_folder, wrong):
    true, given, refined = (pixels(folder) for folder in (close_folder, wrong, run))
    before, after = ((found - true).norm(dim=2).mean(dim=1) for found in (given, refined))
    fitted = torch.arange(36) != HELD_OUT
    assert before[fitted].mean() > 0.6
    assert after[fitted].mean() < 0.4 * before[fitted].mean()  # with what they have in common
    torch.testing.assert_close(refined[HELD_OUT], given[HELD_OUT], atol=1e-6, rtol=0)
    metrics = json.loads((run / "metrics.json").read_text())
    moved = (refined - given).norm(dim=2).mean(dim=1)[fitted]
    assert metrics["camera_pixels_median"] == pytest.approx(float(moved.median()), rel=0.3)
    assert 0.2 < metrics["camera_rotation_degrees_median"] < 1.0  # a small object hardly tells turns from moves


def test_the_refined_cameras_are_used_afterwards(run, wrong):
    fitted = FittedField.load(run, torch.device("cpu"))
    given = read_views(wrong)
    numbers = fitted_numbers(fitted, given.cameras)
    assert numbers == [view - (view > HELD_OUT) if view != HELD_OUT else -1 for view in range(36)]
    with np.load(run / "cameras.npz") as stored:
        written = torch.from_numpy(np.stack([stored[f"world_mat_{view}"][:3] for view in range(36)]))
    refined = with_refined_cameras(fitted, given)
    torch.testing.assert_close(refined.cameras.projections(), written, rtol=1e-9, atol=1e-6)
    assert not torch.allclose(given.cameras.projections(), written, rtol=1e-4)
    np.testing.assert_array_equal(refined.image(3), given.image(3))
    expected = refined.cameras.in_frame(fitted.frame).select([view for view in range(36) if view != HELD_OUT])
    for cameras in (fitted.appearance.cameras, fitted_photographs(run, fitted).cameras):
        torch.testing.assert_close(cameras.projections().double(), expected.projections(), rtol=1e-5, atol=1e-4)
    shown = folder_cameras(fitted, wrong, None).cameras
    torch.testing.assert_close(
        shown.projections().double(), refined.cameras.in_frame(fitted.frame).projections(), rtol=1e-5, atol=1e-4
    )


def test_a_resumed_fit_equals_an_uninterrupted_one(wrong, tmp_path, refine):
    whole = refine(wrong, tmp_path / "whole")
    first = refine(wrong, tmp_path / "parts", stop_after=6)
    assert (first.reason, first.step) == ("interrupted", 6)
    halfway = load_checkpoint(first.folder.path).tensors
    second = refine(wrong, tmp_path / "parts", resume=True)
    expected, found = (load_checkpoint(result.folder.path) for result in (whole, second))
    assert not torch.equal(halfway["refinement.corrections"], found.tensors["refinement.corrections"])
    assert int(halfway["refinement.rounds"]) == 1
    assert int(found.tensors["refinement.rounds"]) == 2
    for part in ("field", "tensors"):
        stored, again = getattr(expected, part), getattr(found, part)
        assert stored.keys() == again.keys()
        for name in stored.keys() - {"seconds"}:
            assert torch.equal(again[name], stored[name]), (name, (again[name] - stored[name]).abs().max())
    with np.load(whole.folder.cameras) as one, np.load(second.folder.cameras) as other:
        assert all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    "rounds",
    [
        "cameras.rounds=[0.9]",  # stopped before the first one
        "cameras.rounds=[0.3, 0.6]",
    ],
)
def test_few_views_all_around_resume_alike(ball, tmp_path, refine, rounds):
    """The views to compare with depend on how far apart cameras are."""
    changes = (rounds, "cameras.start_rounds=0")
    whole = refine(ball.folder, tmp_path / "whole", *changes)
    refine(ball.folder, tmp_path / "parts", *changes, stop_after=6)
    second = refine(ball.folder, tmp_path / "parts", *changes, resume=True)
    expected, found = (load_checkpoint(result.folder.path).tensors for result in (whole, second))
    assert all(torch.equal(found[name], expected[name]) for name in expected.keys() - {"seconds"})


def test_other_images_of_the_object_have_no_refined_cameras(run, ball):
    fitted = FittedField.load(run, torch.device("cpu"))
    others = read_views(ball.folder)
    assert fitted_numbers(fitted, others.cameras) == [-1] * len(others)
    assert with_refined_cameras(fitted, others) is others


def test_a_checkpoint_without_its_corrections_is_refused(wrong, tmp_path, refine):
    refine(wrong, tmp_path / "run", stop_after=2)
    path = tmp_path / "run" / "checkpoint.pt"
    stored = torch.load(path, weights_only=True)
    stored["tensors"]["refinement.corrections"] = stored["tensors"]["refinement.corrections"][:7]
    torch.save(stored, path)
    with pytest.raises(InputError, match="damaged"):
        refine(wrong, tmp_path / "run", resume=True)


def test_cameras_stay_unless_asked(wrong, tmp_path, refine):
    result = refine(wrong, tmp_path / "run", "cameras.enabled=false")
    assert not result.folder.cameras.exists()
    assert "camera_pixels_max" not in result.metrics
    assert "camera_corrections" not in load_checkpoint(result.folder.path).tensors
