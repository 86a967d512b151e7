"""Posed images made ready: the object in the middle of its frame, and only views that can be believed."""

import shutil

import imageio.v3 as imageio
import numpy as np
import pytest
import torch

from isopts.data.view_formats.idr_writer import write_idr_cameras
from isopts.errors import InputError
from isopts.fit.views.config import DataConfig
from isopts.fit.views.prepared_views import prepare_views
from isopts.geometry.sphere import Sphere


def prepared(folder, **changes):
    return prepare_views(folder, DataConfig(**changes), torch.device("cpu"), torch.Generator().manual_seed(0))


@pytest.fixture
def changeable(ball, tmp_path):
    return shutil.copytree(ball.folder, tmp_path / "views")


def assert_ball_in_the_middle(views, ball):
    """Centred to a tenth of its radius, and filling between a half and nine tenths of the unit sphere."""
    offset = (np.array(views.frame.center) - ball.center) / ball.radius
    assert np.linalg.norm(offset) < 0.1
    assert 0.5 < ball.radius * views.frame.scale < 0.9


def test_the_ball_is_in_the_middle_of_the_frame(ball, prepared_ball):
    assert_ball_in_the_middle(prepared_ball, ball)
    assert prepared_ball.fitted == list(range(12))
    assert prepared_ball.notes == []
    pixels, depths = prepared_ball.cameras.project(torch.zeros((1, 3)))
    assert (pixels - torch.tensor([23.5, 17.5])).abs().max() < 1e-3
    assert depths.min() > 1
    focal = ball.cameras.focal_lengths()[0].item()
    distances = np.linalg.norm(ball.cameras.centers().numpy() - ball.center, axis=1)
    assert prepared_ball.pixel == pytest.approx(np.median(distances) / focal * prepared_ball.frame.scale, rel=0.02)
    assert torch.equal(
        prepared_ball.images.masks.view(12, 36, 48)[3], torch.from_numpy(prepared_ball.source.mask(3).copy())
    )


def as_it_is(ball, folder):
    """The region is half as large again as the ball."""


def five_times_as_large(ball, folder):
    """The region is five times as large as the ball, and beside it."""
    x, y, z = ball.center
    write_idr_cameras(folder / "cameras.npz", ball.cameras, Sphere((x + 20, y, z - 10), 5 * ball.radius))


def unknown(ball, folder):
    """The cameras' file says nothing of a region."""
    with np.load(folder / "cameras.npz") as stored:
        matrices = {name: stored[name] for name in stored if name.startswith("world_mat")}
    np.savez(folder / "cameras.npz", **matrices)


@pytest.mark.parametrize("region", [five_times_as_large, unknown])
def test_a_region_that_is_too_large_or_unknown_follows_the_masks(ball, changeable, region):
    region(ball, changeable)
    assert_ball_in_the_middle(prepared(changeable), ball)


def test_a_held_out_view_is_not_fitted(ball):
    views = prepared(ball.folder, holdout=(3, 0))
    assert views.fitted == [1, 2, *range(4, 12)]
    assert len(views.source) == 12
    assert len(views.images.cameras) == len(views.silhouettes.first) == 10
    assert len(views.images.masks) == 10 * 48 * 36
    held_out = views.source.cameras.in_frame(views.frame).centers()[[0, 3]].float()
    assert torch.cdist(held_out, views.cameras.centers()).min() > 0.1
    for bundle in views.rays:
        assert torch.cdist(bundle.origins, held_out).min() > 0.1


@pytest.mark.parametrize("kept", [np.s_[:, 24:], np.s_[:18]])
@pytest.mark.parametrize(("region", "holdout"), [(as_it_is, ()), (five_times_as_large, (0, 5)), (unknown, ())])
def test_a_view_whose_mask_lacks_half_of_the_object_is_left_out_and_named(ball, changeable, kept, region, holdout):
    region(ball, changeable)
    path = changeable / "mask" / "004.png"
    mask = imageio.imread(path)
    mask[kept] = 0
    imageio.imwrite(path, mask)
    views = prepared(changeable, holdout=holdout)
    assert views.fitted == [view for view in range(12) if view not in (4, *holdout)]
    assert len(views.images.cameras) == len(views.silhouettes.first) == len(views.fitted)
    assert len(views.notes) == 1
    assert "'004.png' is left out" in views.notes[0]
    assert str(path) in views.notes[0]
    assert_ball_in_the_middle(views, ball)


@pytest.mark.parametrize("region", [as_it_is, five_times_as_large, unknown])
@pytest.mark.parametrize("pixels", [1, 3])
def test_a_mask_that_is_but_a_speck_is_left_out_and_no_other(ball, changeable, region, pixels):
    region(ball, changeable)
    speck = np.zeros((36, 48), dtype=np.uint8)
    speck[4 : 4 + pixels, 4 : 4 + pixels] = 255
    imageio.imwrite(changeable / "mask" / "000.png", speck)
    views = prepared(changeable)
    assert views.fitted == list(range(1, 12))
    assert_ball_in_the_middle(views, ball)


def test_two_wrong_masks_that_hide_each_other_are_found_one_after_the_other(close_folder, tmp_path):
    folder = tmp_path / "views"
    shutil.copytree(close_folder, folder)
    for view, change in ((4, lambda mask: mask * (np.arange(48) >= 24)), (20, lambda mask: np.roll(mask, 9, axis=1))):
        path = folder / "mask" / f"{view:03d}.png"
        imageio.imwrite(path, change(imageio.imread(path)).astype(np.uint8))
    views = prepared(folder)
    assert views.fitted == [view for view in range(36) if view not in (4, 20)]
    assert {note.split("'")[1] for note in views.notes} == {"004.png", "020.png"}


def test_an_image_is_shrunk_to_what_is_asked_for(ball):
    views = prepared(ball.folder, pixels_max=500)
    assert views.cameras.sizes.tolist() == [[24, 18]] * 12
    assert views.pixel == pytest.approx(2 * prepared(ball.folder).pixel, rel=1e-5)


@pytest.mark.parametrize(("view", "range_"), [(12, "0 ... 11"), (-1, "0 ... 11")])
def test_a_held_out_view_must_exist(ball, view, range_):
    with pytest.raises(InputError, match=f"held-out view {view} does not exist; the views are {range_}"):
        prepared(ball.folder, holdout=(2, view))


def test_some_views_must_be_left(ball):
    with pytest.raises(InputError, match="2 views are left to fit; hold out fewer, at least 3"):
        prepared(ball.folder, holdout=tuple(range(10)))


@pytest.mark.parametrize(
    ("mask", "reason"),
    [(np.zeros((36, 48)), "is empty"), (np.ones((36, 48)), "covers the whole image"), (None, "looks inverted")],
)
def test_a_view_without_a_mask_to_speak_of_is_left_out_and_named(ball, changeable, mask, reason):
    path = changeable / "mask" / "007.png"
    imageio.imwrite(path, (255 - imageio.imread(path)) if mask is None else (255 * mask).astype(np.uint8))
    views = prepared(changeable)
    assert views.fitted == [view for view in range(12) if view != 7]
    assert len(views.notes) == 1
    assert views.notes[0].startswith("The view '007.png' is left out. ")
    assert f"{path}' {reason}" in views.notes[0]
    assert_ball_in_the_middle(views, ball)


def blacken(folder, views):
    for view in views:
        imageio.imwrite(folder / "mask" / f"{view:03d}.png", np.zeros((36, 48), dtype=np.uint8))


def test_many_empty_masks_are_refused_the_first_by_name(changeable):
    blacken(changeable, (2, 7, 8))
    assert len(prepared(changeable).fitted) == 9
    blacken(changeable, (5,))
    with pytest.raises(InputError, match=r"002\.png' is empty.*3 more"):
        prepared(changeable)


@pytest.mark.parametrize("others", [(), (2,)])
def test_an_empty_mask_of_a_held_out_view_is_refused_by_name(changeable, others):
    """Even where one comes first that a fit leaves out."""
    blacken(changeable, (*others, 7))
    with pytest.raises(InputError, match=r"007\.png' is empty: it shows no object\.$"):
        prepared(changeable, holdout=(7,))
