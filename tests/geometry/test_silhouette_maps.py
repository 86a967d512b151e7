import math

import numpy as np
import pytest
import torch

from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.silhouette_maps import signed_distance_map, silhouette_maps


def disc(width: int, height: int, radius: float) -> np.ndarray:
    row, column = np.mgrid[:height, :width]
    return np.hypot(row - (height - 1) / 2, column - (width - 1) / 2) < radius


@pytest.mark.parametrize("factor", [1, 2, 3, 5])
def test_a_straight_silhouette_is_known_to_a_fifth_of_a_pixel(factor):
    mask = np.zeros((60, 120), dtype=bool)
    mask[:, 47:] = True  # its border is at 46.5, where column 46 ends
    centers = factor * (np.arange(120 // factor) + 0.5) - 0.5
    expected = np.broadcast_to((46.5 - centers) / factor, (60 // factor, 120 // factor))
    np.testing.assert_allclose(signed_distance_map(mask, factor), expected, atol=0.2)
    np.testing.assert_allclose(signed_distance_map(~mask, factor), -expected, atol=0.2)
    np.testing.assert_allclose(signed_distance_map(mask.T, factor), expected.T, atol=0.2)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_disc_has_the_distance_of_a_circle(factor):
    found = factor * signed_distance_map(disc(200, 160, 50.0), factor)
    row, column = factor * (np.mgrid[: 160 // factor, : 200 // factor] + 0.5) - 0.5
    expected = np.hypot(row - 79.5, column - 99.5) - 50
    error = found - expected
    assert np.abs(error).max() < 0.4 + 0.6 * factor
    near = np.abs(expected) < 1
    assert np.abs(error[near]).max() < 0.65
    assert np.sqrt(np.mean(error[near] ** 2)) < 0.2


def test_a_line_of_pixels_stays():
    mask = np.zeros((30, 30), dtype=bool)
    mask[:, 14] = True
    assert ((signed_distance_map(mask) < 0) == mask)[:, 14].all()
    assert (signed_distance_map(mask)[:, [13, 15]] > 0.2).all()


def test_masks_of_one_kind_have_infinite_distances():
    assert (signed_distance_map(np.ones((5, 7), dtype=bool)) == -math.inf).all()
    assert (signed_distance_map(np.zeros((5, 7), dtype=bool), 2) == math.inf).all()


def test_maps_know_where_points_are():
    """The projection of a shrunk map of an uneven size still ends at the same place in the image."""
    camera = Camera(np.array([[300.0, 0, 71], [0, 300, 52], [0, 0, 1]]), np.eye(3), np.array([0, 0, 3.0]))
    masks = [disc(151, 107, 20), disc(40, 30, 9)]
    cameras = Cameras.stack([camera, camera], [(151, 107), (40, 30)])
    shrunk = silhouette_maps(masks, pixels_max=3000)
    np.testing.assert_array_equal(shrunk.map(0), signed_distance_map(masks[0], 3))
    maps = shrunk.seen_by(cameras)
    assert maps.sizes.tolist() == [[51, 36], [40, 30]]
    assert maps.first.tolist() == [0, 51 * 36]
    assert len(maps.maps) == 51 * 36 + 40 * 30
    torch.testing.assert_close(maps.focal_lengths, torch.tensor([100.0, 300.0]))
    point = torch.tensor([0.1, -0.05, 0.2, 1.0])
    for view, factor in enumerate((3, 1)):
        u, v, depth = maps.projections[view] @ point
        expected = (cameras.project(point[None, :3].double())[0][view, 0] + 0.5) / factor - 0.5
        assert [float(u / depth), float(v / depth)] == pytest.approx(expected.tolist(), abs=1e-4)


def test_a_selection_of_maps_keeps_order_and_size():
    masks = [disc(151, 107, 20), disc(40, 30, 9), disc(33, 50, 5)]
    maps = silhouette_maps(masks, pixels_max=3000)
    chosen = maps.select([2, 0])
    assert len(chosen) == 2
    assert chosen.sizes.tolist() == [[33, 50], [51, 36]]
    assert chosen.first.tolist() == [0, 33 * 50]
    assert chosen.factors.tolist() == [1, 3]
    for place, view in enumerate((2, 0)):
        assert torch.equal(chosen.map(place), maps.map(view))
    assert len(chosen.maps) == 33 * 50 + 51 * 36
