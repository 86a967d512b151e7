"""fit-mvr on images of a ball of which something is wrong that no silhouette contradicts."""

import shutil

import imageio.v3 as imageio
import numpy as np
import pytest
from scipy import ndimage

from isopts.data.meshes import read_mesh
from isopts.run.checkpoint import load_checkpoint

pytestmark = pytest.mark.usefixtures("coarse_comparison")
QUICK = ("output.preview=false", "output.isopoints=0", "isopoints.every_steps=5", "fit.log_every=5", "fit.steps=12")


@pytest.fixture
def damaged(close_folder, tmp_path):
    """A copy of 36 views from above of a ball, to be damaged."""
    return shutil.copytree(close_folder, tmp_path / "views")


def test_a_camera_turned_around_the_ball_is_found_and_named(damaged, fit, tmp_path):
    """Its silhouette is that of a ball from anywhere."""
    with np.load(damaged / "cameras.npz") as stored:
        matrices = dict(stored)
    middle, angle = matrices["scale_mat_0"][:3, 3], np.radians(20)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turn[:3, 3] = middle - turn[:3, :3] @ middle
    matrices["world_mat_17"] = matrices["world_mat_17"] @ turn
    np.savez(damaged / "cameras.npz", **matrices)
    changes = ("photo.levels=[0.1]", "fit.steps=40", "sampling.patches=400")
    result, reports, notes = fit(damaged, tmp_path / "run", *QUICK, *changes)
    assert not any("left out" in note for note in notes)
    named = " ".join(report.message or "" for report in reports)
    assert named.count("left out") == 1
    assert "The view '017.png' is left out" in named
    checkpoint = load_checkpoint(result.folder.path)
    assert checkpoint.tensors["agreement.left_out"].nonzero().flatten().tolist() == [17]
    assert len(checkpoint.tensors["camera.sizes"]) == 35


def test_masks_that_are_too_large_make_no_larger_ball(damaged, fit, tmp_path, ball):
    for path in (damaged / "mask").iterdir():
        distances = ndimage.distance_transform_edt(imageio.imread(path) < 128)
        imageio.imwrite(path, np.where(distances <= 4, 255, 0).astype(np.uint8))
    radii = []
    quick = (*QUICK, "start.steps=150")
    for number, changes in enumerate(((), ("data.mask_offset=0",))):
        result, _, notes = fit(damaged, tmp_path / f"run{number}", *quick, *changes)
        assert any("larger than the object all around" in note for note in notes) == (number == 0)
        vertices = read_mesh(result.folder.mesh).vertices
        seen = vertices[vertices[:, 2] > ball.center[2]]
        radii.append(np.median(ball.distances(seen)) / ball.radius)
    assert abs(radii[0]) < 0.06
    assert radii[1] > 0.15
    part, _, _ = fit(damaged, tmp_path / "parts", *quick, stop_after=5)
    assert part.reason == "interrupted"
    again, _, _ = fit(damaged, tmp_path / "parts", *quick, resume=True)
    assert again.folder.mesh.read_bytes() == (tmp_path / "run0" / "mesh.ply").read_bytes()
