"""Masks of a textured ball that are larger or smaller than it: how much is told from its photographs, and put right."""

import shutil

import imageio.v3 as imageio
import numpy as np
import pytest
import torch
from scipy import ndimage

from isopts.errors import InputError
from isopts.fit.views.config import DataConfig
from isopts.fit.views.mask_offset import mask_offset, offset_note
from isopts.fit.views.prepared_views import prepare_views

GROWN = 4


def prepared(folder, offset=0.0, **changes):
    generator = torch.Generator().manual_seed(0)
    return prepare_views(folder, DataConfig(**changes), torch.device("cpu"), generator, offset)


def offset_of(views):
    return mask_offset(views, 0, torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def grown(close_folder, tmp_path_factory):
    """The same photographs with masks `GROWN` pixels larger."""
    folder = shutil.copytree(close_folder, tmp_path_factory.mktemp("views") / "grown")
    for path in (folder / "mask").iterdir():
        distances = ndimage.distance_transform_edt(imageio.imread(path) < 128)
        imageio.imwrite(path, np.where(distances <= GROWN, 255, 0).astype(np.uint8))
    return folder


def test_masks_that_are_right_are_left_alone(close_views):
    assert offset_of(close_views) == 0


def test_masks_that_are_too_large_are_told(grown):
    assert offset_of(prepared(grown)) == pytest.approx(GROWN, abs=1)


def test_without_texture_nothing_is_told(grown, tmp_path):
    plain = shutil.copytree(grown, tmp_path / "plain")
    for path in (plain / "image").iterdir():
        imageio.imwrite(path, np.full_like(imageio.imread(path), 128))
    assert offset_of(prepared(plain)) == 0


def test_an_offset_that_leaves_no_object_is_refused(ball):
    with pytest.raises(InputError, match=r"data\.mask_offset=16 leaves nothing of the masks"):
        prepared(ball.folder, 16)


def test_moved_silhouettes_are_where_the_object_ends(grown, close_views):
    """Masks, hull, and rays, which keep a pixel away from it."""
    views = prepared(grown, GROWN)
    assert views.mask_offset == GROWN
    differ = (views.images.masks != close_views.images.masks).float().sum() / close_views.images.masks.sum()
    before = (prepared(grown).images.masks != close_views.images.masks).float().sum() / close_views.images.masks.sum()
    assert differ < 0.15 < 0.5 < before
    radius = 40.0 * views.frame.scale
    center = torch.tensor((310.0, -220.0, 540.0), dtype=torch.float64)
    center = ((center - torch.tensor(views.frame.center)) * views.frame.scale).float()
    for bundle, sign in zip(views.rays, (1, -1), strict=True):
        along = ((center - bundle.origins) * bundle.directions).sum(dim=1, keepdim=True)
        beside = sign * ((bundle.origins + along * bundle.directions - center).norm(dim=1) - radius) / views.pixel
        assert beside.quantile(0.02) > -0.7
        assert beside.min() < 2


def test_an_offset_counts_pixels_of_the_shrunk_images(grown):
    """A quarter of the pixels: half the offset."""
    whole, small = prepared(grown, GROWN), prepared(grown, GROWN / 2, pixels_max=500)
    shares = [float(views.images.masks.float().mean()) for views in (whole, small)]
    assert shares[1] == pytest.approx(shares[0], rel=0.05)


def test_the_user_is_told_which_way_and_how_to_keep_masks():
    for offset, size, way in ((4.0, "4 pixels larger", "inwards"), (-3.0, "3 pixels smaller", "outwards")):
        assert f"{size} than the object all around" in offset_note(offset)
        assert f"their silhouettes are moved {way}" in offset_note(offset)
        assert "of the images as the fit shrinks them (data.pixels_max)" in offset_note(offset)
    assert "data.mask_offset=0" in offset_note(4.0)
