import numpy as np
import pytest

from isopts.geometry.distortion import Distortion, distorted_pixels, undistorted_intrinsics

LENS = np.array([[400.0, 0, 330], [0, 410, 235], [0, 0, 1]])
SIZE = (640, 480)


def test_radial_and_tangential_parts():
    """OpenCV's formula at (0.5, -0.2), by hand: r^2 = 0.29."""
    x, y = Distortion(0.1, 0.01, 0.003, -0.002).apply(np.array([0.5]), np.array([-0.2]))
    radial = 1 + 0.1 * 0.29 + 0.01 * 0.29**2
    assert x[0] == pytest.approx(0.5 * radial + 2 * 0.003 * 0.5 * -0.2 - 0.002 * (0.29 + 2 * 0.25))
    assert y[0] == pytest.approx(-0.2 * radial + 0.003 * (0.29 + 2 * 0.04) + 2 * -0.002 * 0.5 * -0.2)


def test_without_distortion_pixels_stay():
    columns, rows = np.array([0.0, 639]), np.array([479.0, 3])
    found = distorted_pixels(columns, rows, LENS, LENS, Distortion())
    np.testing.assert_allclose(found, (columns, rows), atol=1e-10)
    np.testing.assert_allclose(undistorted_intrinsics(LENS, SIZE, Distortion()), LENS, rtol=1e-6)


@pytest.mark.parametrize(
    "distortion",
    [Distortion(k1=0.2), Distortion(k1=-0.3, k2=0.1), Distortion(k1=-0.25), Distortion(0.1, -0.1, 0.02, -0.03)],
)
def test_no_pixel_of_the_undistorted_image_is_blank_and_none_is_wasted(distortion):
    pinhole = undistorted_intrinsics(LENS, SIZE, distortion)
    rows, columns = np.mgrid[:480, :640].astype(float)
    at_columns, at_rows = distorted_pixels(columns, rows, pinhole, LENS, distortion)
    to_border = np.minimum(np.minimum(at_columns + 0.5, 639.5 - at_columns), np.minimum(at_rows + 0.5, 479.5 - at_rows))
    assert to_border.min() >= 0
    assert to_border.min() < 1.5
    assert not distortion.folds((columns - 330) / pinhole[0, 0], (rows - 235) / pinhole[1, 1]).any()


@pytest.mark.parametrize("distortion", [Distortion(k1=-1e4), Distortion(k2=1e300), Distortion(p1=50.0)])
def test_what_is_no_lens_is_refused(distortion):
    with pytest.raises(ValueError, match="distorted too much for a pinhole camera"):
        undistorted_intrinsics(LENS, SIZE, distortion)


def test_a_lens_that_folds_is_zoomed_to_where_it_does_not():
    """k1 = -1: the radius r (1 - r^2) grows up to r = 0.577 only, well inside the image."""
    pinhole = undistorted_intrinsics(LENS, SIZE, Distortion(k1=-1.0))
    corner = np.hypot(330.5 / pinhole[0, 0], 244.5 / pinhole[1, 1])
    assert 0.5 < corner < 0.58
