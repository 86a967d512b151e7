import numpy as np
import pytest
import torch

from isopts.data.view_formats.idr_writer import idr_files, idr_view_files, write_idr_cameras, write_idr_view
from isopts.data.views import read_views
from isopts.geometry.camera_sphere import CameraSphereConfig, place_cameras
from isopts.geometry.sphere import Sphere

REGION = Sphere((4.5e5, 5.4e6, 310.0), 20.0)


def test_what_is_written_is_read_back(tmp_path):
    generator = np.random.default_rng(0)
    points = np.array(REGION.center) + generator.uniform(-10, 10, size=(50, 3))
    cameras = place_cameras(points, REGION, CameraSphereConfig(views=12, size=(40, 30)), generator)
    images = generator.integers(0, 256, size=(12, 30, 40, 3), dtype=np.uint8)
    masks, depths = generator.random((12, 30, 40)) < 0.5, generator.random((12, 30, 40))
    for view in range(12):
        write_idr_view(tmp_path, view, 12, images[view], masks[view], depths[view])
    write_idr_cameras(tmp_path / "cameras.npz", cameras, REGION)
    found = read_views(tmp_path)
    assert (found.format, found.mask_source) == ("idr", "dir")
    assert found.region.center == pytest.approx(REGION.center)
    assert found.region.radius == pytest.approx(REGION.radius)
    pixels, depths_of_points = found.cameras.project(torch.from_numpy(points))
    expected, expected_depths = cameras.project(torch.from_numpy(points))
    torch.testing.assert_close(pixels, expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(depths_of_points, expected_depths, atol=1e-6, rtol=0)
    for view in range(12):
        np.testing.assert_array_equal(found.image(view), images[view])
        np.testing.assert_array_equal(found.mask(view), masks[view])
        depth = np.load(tmp_path / "depth" / f"{view:03d}.npy")
        assert depth.dtype == np.float32
        np.testing.assert_allclose(depth, depths[view], rtol=1e-6)


def test_names_sort_like_numbers():
    assert idr_view_files(7, 49) == ["image/007.png", "mask/007.png", "depth/007.npy"]
    names = [idr_view_files(number, 1200)[0] for number in range(1200)]
    assert names == sorted(names)
    assert len(list(idr_files(5))) == 16
