from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from isopts.data import posed_views
from isopts.data.posed_image import PosedImage
from isopts.data.posed_views import PosedViews
from isopts.data.undistort import undistort_picture
from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.distortion import Distortion, distorted_pixels, undistorted_intrinsics

LENS = np.array([[500.0, 0, 300], [0, 500, 280], [0, 0, 1]])


def test_without_distortion_nothing_changes():
    picture = np.random.default_rng(0).integers(0, 255, (600, 640, 3)).astype(np.uint8)
    np.testing.assert_array_equal(undistort_picture(picture, LENS, LENS, Distortion()), picture)


@pytest.mark.parametrize("shape", [(3, 5, 3), (401, 600, 1), (600, 640, 4)])
def test_is_bilinear_in_every_block_of_rows(shape):
    distortion = Distortion(-0.3, 0.1, 0.02, -0.01)
    picture = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(float)
    at_columns, at_rows = distorted_pixels(columns, rows, 1.2 * LENS, LENS, distortion)
    places = [at_rows, at_columns]
    for _ in range(2):  # also with the places of the first call
        found = undistort_picture(picture, 1.2 * LENS, LENS, distortion)
        for channel in range(shape[2]):
            expected = map_coordinates(picture[..., channel].astype(float), places, order=1, mode="nearest")
            assert np.abs(found[..., channel] - expected).max() < 0.6


def test_straight_lines_are_straight_again():
    """A picture whose values grow along the undistorted columns: resampling gives that ramp back, in every row."""
    distortion = Distortion(-0.2, 0.05, 0.01, -0.01)
    rows, columns = np.mgrid[:560, :600].astype(float)
    undistorted_columns = columns.copy()
    undistorted_rows = rows.copy()
    for _ in range(60):  # inverse of the lens by iteration
        at_columns, at_rows = distorted_pixels(undistorted_columns, undistorted_rows, LENS, LENS, distortion)
        undistorted_columns += columns - at_columns
        undistorted_rows += rows - at_rows
    photograph = np.round(undistorted_columns / 3 + 20).clip(0, 255).astype(np.uint8)[..., None]
    found = undistort_picture(photograph, LENS, LENS, distortion)[..., 0].astype(float)
    inner = found[30:-30, 30:-30]
    assert np.abs(inner - (columns[30:-30, 30:-30] / 3 + 20)).max() < 1.1
    assert np.abs(photograph[30:-30, 30:-30, 0] - (columns[30:-30, 30:-30] / 3 + 20)).max() > 3


def test_without_masks_all_is_mask_and_nothing_is_resampled_for_it(monkeypatch):
    """What resampling a full mask would give: see `undistorted_intrinsics`."""
    distortion, size = Distortion(-0.2, 0.05, 0.01, -0.01), (600, 560)
    pinhole = undistorted_intrinsics(LENS, size, distortion)
    full = np.full((*size[::-1], 1), 255, np.uint8)
    assert (undistort_picture(full, pinhole, LENS, distortion) == 255).all()

    def resampled(*_):
        raise AssertionError("an image was resampled")

    monkeypatch.setattr(posed_views, "undistort_picture", resampled)
    pose = np.eye(3), np.array([0, 0, 5.0])
    photograph = PosedImage(Path("absent.png"), Camera(LENS, *pose), distortion=distortion)
    views = PosedViews(Cameras.stack([Camera(pinhole, *pose)], [size]), (photograph,), "idr", "none")
    assert views.mask(0).shape == size[::-1]
    assert views.mask(0).all()
