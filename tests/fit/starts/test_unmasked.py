"""fit-mvr without masks: where the object is, what it starts from, what known points do, and what runs leave."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from isopts.data import region
from isopts.data.meshes import read_mesh
from isopts.data.point_cloud import PointCloud
from isopts.data.points import write_points
from isopts.errors import ConfigError, InputError
from isopts.field.build import build_field
from isopts.fit.starts import swept_cloud
from isopts.fit.starts.unmasked import start_cloud, start_without_masks
from isopts.fit.views.config import DataConfig
from isopts.fit.views.prepared_views import prepare_views
from isopts.fit.views.prior import prepare_prior, prior_loss
from isopts.run.checkpoint import load_checkpoint

pytestmark = pytest.mark.usefixtures("coarse_comparison")
CPU = torch.device("cpu")
NO_MASKS = "data.views.masks.source=none"
QUICK = ("output.preview=false", "output.isopoints=0", "fit.steps=12", "isopoints.every_steps=5", "fit.log_every=3")
DEPTHS = ("fit.steps=100", "start.steps=60", "output.preview=false", "output.isopoints=0")


@pytest.fixture(autouse=True)
def fewer_rays(monkeypatch):
    monkeypatch.setattr(swept_cloud, "_RAYS", 16_000)


@pytest.fixture
def fit_unmasked(fit):
    return lambda views, folder, *changes, **options: fit(views, folder, NO_MASKS, *changes, **options)


def prepared(folder, **changes):
    config = DataConfig(views={"masks": {"source": "none"}, **changes.pop("views", {})}, **changes)
    return prepare_views(folder, config, CPU, torch.Generator().manual_seed(0))


def points_on(ball, count=400, noise=0.5, outliers=40):
    rng = np.random.default_rng(2)
    directions = rng.normal(size=(count, 3))
    points = ball.center + ball.radius * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    points += noise * rng.normal(size=points.shape)
    return np.concatenate([points, ball.center + 3 * ball.radius * rng.uniform(-1, 1, size=(outliers, 3))])


@pytest.fixture
def prior(ball, tmp_path):
    write_points(tmp_path / "points.ply", points_on(ball))
    return tmp_path / "points.ply"


@pytest.fixture
def without_region(ball, unmasked_folder, tmp_path):
    """The same images, whose cameras' file says nothing of a region."""
    folder = shutil.copytree(unmasked_folder, tmp_path / "views")
    with np.load(folder / "cameras.npz") as stored:
        known = {name: stored[name] for name in stored if "scale" not in name}
    np.savez(folder / "cameras.npz", **known)
    return folder


@pytest.fixture
def grid_field(small_config):
    return build_field(small_config().field, torch.Generator().manual_seed(0))


@pytest.fixture
def colmap_folder(ball, unmasked_views, tmp_path):
    """The same images with a COLMAP model, whose points are on the ball, wrong, and far behind it."""
    model = tmp_path / "colmap" / "sparse" / "0"
    model.mkdir(parents=True)
    shutil.copytree(unmasked_views.source.photographs[0].image.parent, tmp_path / "colmap" / "images")
    cameras, images = [], []
    for number, posed in enumerate(unmasked_views.source.photographs, start=1):
        k, (x, y, z, w) = posed.camera.intrinsics, Rotation.from_matrix(posed.camera.rotation).as_quat()
        cameras.append(f"{number} PINHOLE 48 36 {k[0, 0]} {k[1, 1]} {k[0, 2] + 0.5} {k[1, 2] + 0.5}")
        shift = " ".join(map(str, posed.camera.translation))
        images += [f"{number} {w} {x} {y} {z} {shift} {number} {posed.image.name}", ""]
    rng = np.random.default_rng(4)
    far = rng.normal(size=(500, 3))
    far = ball.center + 20 * ball.radius * far / np.linalg.norm(far, axis=1, keepdims=True)
    points = np.concatenate([points_on(ball), far])
    lines = [f"{number} {x} {y} {z} 9 9 9 0.5 1 2 2 3 3 4" for number, (x, y, z) in enumerate(points)]
    for name, rows in (("cameras", cameras), ("images", images), ("points3D", lines)):
        (model / f"{name}.txt").write_text("\n".join(rows) + "\n")
    return tmp_path / "colmap"


def errors_of(run, ball):
    """Mean distance of the mesh's vertices from the ball, in its radius, and whether it is closed."""
    mesh = read_mesh(run.folder.mesh)
    return np.abs(ball.distances(mesh.vertices)).mean() / ball.radius, mesh.is_closed()


def test_a_ball_without_masks_is_better_than_its_start(unmasked_folder, ball, tmp_path, fit_unmasked):
    start, _, notes = fit_unmasked(unmasked_folder, tmp_path / "start", *DEPTHS, "fit.steps=1")
    done, reports, _ = fit_unmasked(unmasked_folder, tmp_path / "run", *DEPTHS)
    before, after = errors_of(start, ball), errors_of(done, ball)
    assert before[0] < 0.1
    assert after[0] < 0.8 * before[0]
    assert before[1]
    assert after[1]
    assert "It starts as the surface through" in notes[-1]
    assert "depths that agree, off by" in notes[-1]
    assert reports[-1].losses["color"] < reports[0].losses["color"]


def test_what_leaves_the_region_is_closed_in_it(unmasked_folder, ball, tmp_path, fit_unmasked):
    """The region holds the upper part of the ball: the surface must not run into the borders of the domain."""
    center, radius = np.add(ball.center, (0, 0, 0.6 * ball.radius)), 0.9 * ball.radius
    sphere = f"data.views.sphere={json.dumps([*center.tolist(), radius])}"
    run, _, _ = fit_unmasked(unmasked_folder, tmp_path / "run", *DEPTHS, sphere)
    mesh = read_mesh(run.folder.mesh)
    assert mesh.is_closed()
    assert np.linalg.norm(mesh.vertices - center, axis=1).max() < 1.01 * radius
    assert mesh.volume() > 0.2 * 4 / 3 * np.pi * radius**3


def test_a_resumed_fit_with_known_points_equals_an_uninterrupted_one(unmasked_folder, prior, tmp_path, fit_unmasked):
    changes = (*QUICK, f"data.prior={json.dumps(str(prior))}")
    whole, reports, _ = fit_unmasked(unmasked_folder, tmp_path / "whole", *changes)
    fit_unmasked(unmasked_folder, tmp_path / "parts", *changes, stop_after=6)
    again, _, _ = fit_unmasked(unmasked_folder, tmp_path / "parts", *changes, resume=True)
    assert reports[0].losses["prior"] > 0
    expected, found = load_checkpoint(whole.folder.path), load_checkpoint(again.folder.path)
    for part in ("field", "tensors"):
        for name in getattr(expected, part).keys() - {"seconds"}:
            assert torch.equal(getattr(found, part)[name], getattr(expected, part)[name]), name
    assert again.folder.mesh.read_bytes() == whole.folder.mesh.read_bytes()


def test_other_known_points_are_refused_on_resuming(unmasked_folder, ball, prior, tmp_path, fit_unmasked):
    changes = (*QUICK, f"data.prior={json.dumps(str(prior))}")
    fit_unmasked(unmasked_folder, tmp_path / "run", *changes, stop_after=6)
    write_points(prior, points_on(ball, count=300))
    with pytest.raises(InputError, match="not the input that the run"):
        fit_unmasked(unmasked_folder, tmp_path / "run", *changes, resume=True)


def test_known_points_are_the_region(without_region, ball, prior):
    views = prepared(without_region, prior=str(prior))
    assert np.linalg.norm(np.array(views.frame.center) - ball.center) < 0.1 * ball.radius
    assert 0.7 < ball.radius * views.frame.scale < 1
    heights = np.abs(ball.distances(views.frame.to_world(views.prior.points)))
    assert len(heights) > 380
    assert (heights < 5).mean() > 0.97  # of 40 outliers among 440 points hardly any is left
    assert views.prior.noise < 3 * 0.5 * views.frame.scale
    assert views.silhouettes is None
    assert views.notes[-1].startswith("400 of 440 points on the surface steer the fit (losses.prior)")
    assert all(bool(views.images.masks[start]) for start in views.images.first.tolist())


def test_the_user_is_told_how_many_known_points_were_wrong(unmasked_folder, ball, tmp_path):
    points = points_on(ball, count=3000, outliers=400)
    write_points(tmp_path / "points.ply", points)
    views = prepared(unmasked_folder, prior=str(tmp_path / "points.ply"))
    inside = (np.linalg.norm(points - ball.center, axis=1) < 1.5 * ball.radius).sum()  # the region of its cameras
    kept = len(views.prior.points)
    assert inside - kept > 10
    assert views.notes[-1] == (
        f"{kept:,} of 3,400 points on the surface steer the fit (losses.prior); {inside - kept} were dropped as "
        "outliers."
    )


def test_a_colmap_folder_needs_nothing_else(colmap_folder, ball, tmp_path, fit_unmasked):
    run, reports, notes = fit_unmasked(colmap_folder, tmp_path / "run", *DEPTHS, "fit.steps=40")
    error, closed = errors_of(run, ball)
    assert error < 0.07
    assert closed
    assert reports[0].losses["prior"] > 0
    assert any("of 940 points on the surface steer the fit" in note for note in notes)
    assert run.folder.read_record().frame.center == pytest.approx(ball.center, abs=0.1 * ball.radius)


def test_a_sphere_of_the_command_line_comes_first(unmasked_folder, prior, ball):
    views = prepared(unmasked_folder, prior=str(prior), views={"sphere": (*ball.center, 77.0)})
    assert 1 / views.frame.scale == pytest.approx(77)
    assert 1 / prepared(unmasked_folder, prior=str(prior)).frame.scale == pytest.approx(1.5 * ball.radius)


def test_where_nothing_says_where_the_object_is_it_is_where_the_cameras_look(without_region, ball):
    views = prepared(without_region)
    assert views.frame.center == pytest.approx(ball.center, abs=0.2 * ball.radius)
    assert 0.7 < 1 / views.frame.scale / ball.radius < 3
    assert any("--sphere x y z radius gives another place" in note for note in views.notes)


def test_nothing_says_where_the_object_is(without_region, monkeypatch):
    monkeypatch.setattr(region, "looked_at", lambda cameras: None)
    with pytest.raises(InputError, match="give --sphere x y z radius, or points on the surface with --prior"):
        prepared(without_region)


def test_known_points_elsewhere(unmasked_folder, ball, tmp_path):
    write_points(tmp_path / "far.ply", points_on(ball) + 1000)
    with pytest.raises(InputError, match="Only 0 of 440 points on the surface are in the region of interest"):
        prepared(unmasked_folder, prior=str(tmp_path / "far.ply"))


def test_colmap_points_that_are_too_few_are_done_without(colmap_folder, ball):
    model = colmap_folder / "sparse" / "0" / "points3D.txt"
    model.write_text("\n".join(model.read_text().splitlines()[:30]))
    views = prepared(colmap_folder, views={"sphere": (*ball.center, 60.0)})
    assert views.prior is None
    assert views.notes[-1].startswith("COLMAP's points are not used. Only 30 of 30 points")


def test_rays_that_miss_the_surface_are_not_judged(unmasked_folder, ball, tmp_path, fit_unmasked):
    """They show background; taken for the object as with masks, they blow the surface up."""
    run, _, _ = fit_unmasked(
        unmasked_folder, tmp_path / "run", *DEPTHS, "fit.steps=40", "sampling.mode=rays", "losses.photo=0"
    )
    assert 0.7 < read_mesh(run.folder.mesh).volume() / (4 / 3 * np.pi * ball.radius**3) < 1.1


def test_a_hull_needs_masks(small_config):
    with pytest.raises(ConfigError, match=r"start\.init=hull needs masks"):
        small_config(NO_MASKS, "start.init=hull")
    with pytest.raises(ConfigError, match=r"data\.mask_offset moves masks, and there are none"):
        small_config(NO_MASKS, "data.mask_offset=2")


def test_known_points_steer_a_fit_with_masks(ball, tmp_path, fit):
    """They are moved outwards by a tenth, and so is a surface that has nothing else to follow but masks and them."""
    shifted = ball.center + 1.1 * (points_on(ball, outliers=0) - ball.center)
    write_points(tmp_path / "points.ply", shifted)
    sizes = {}
    for name, weight in (("without", 0.0), ("with", 30.0)):
        prior = json.dumps(str(tmp_path / "points.ply"))
        changes = ("losses.photo=0", "losses.silhouette=0", "losses.color=0", "fit.steps=40", "losses.prior_reach=0.2")
        changes = (*QUICK[:2], *changes, f"data.prior={prior}", f"losses.prior={weight}")
        done, _, _ = fit(ball.folder, tmp_path / name, *changes)
        sizes[name] = ball.distances(read_mesh(done.folder.mesh).vertices).mean() / ball.radius
    assert sizes["with"] > sizes["without"] + 0.04


def test_points_within_their_noise_and_outliers_do_not_pull():
    values = torch.tensor([0.005, -0.03, 0.5], requires_grad=True)
    loss = prior_loss(values, 0.01, 0.1)
    loss.backward()
    torch.testing.assert_close(loss, torch.tensor((0.02 + 0.1) / 3))
    torch.testing.assert_close(values.grad, torch.tensor([0.0, -1 / 3, 0.0]))


def test_known_points_join_the_depths_facing_outwards(unmasked_views, ball):
    cloud = prepare_prior(PointCloud(points_on(ball)), unmasked_views.frame, CPU)
    alone, swept_alone = start_cloud(unmasked_views.images, None, unmasked_views.frame)
    joined, swept = start_cloud(unmasked_views.images, cloud, unmasked_views.frame)
    assert len(alone.points) == swept_alone == swept == len(joined.points) - len(cloud.points)
    added = joined.points[swept:].numpy()
    outward = added - unmasked_views.frame.to_unit(np.array([ball.center])).numpy()
    assert ((outward * joined.normals[swept:].numpy()).sum(axis=1) > 0).mean() > 0.95


def test_images_without_texture_start_as_a_sphere(unmasked_views, grid_field):
    blank = replace(unmasked_views.images, colors=torch.full_like(unmasked_views.images.colors, 90))
    before = {name: part.clone() for name, part in grid_field.state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    sentence = start_without_masks(grid_field, blank, None, unmasked_views.frame, 10, generator)
    assert "starts as a sphere" in sentence
    assert all(torch.equal(part, before[name]) for name, part in grid_field.state_dict().items())
