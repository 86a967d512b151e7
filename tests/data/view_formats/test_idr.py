"""IDR, DTU and NeuS folders: the camera that a file was made from comes back."""

import shutil

import numpy as np
import pytest

from isopts.data.views import ViewsConfig, read_views
from isopts.errors import InputError


def change(folder, **arrays):
    known = dict(np.load(folder / "cameras.npz"))
    np.savez(folder / "cameras.npz", **{name: value for name, value in (known | arrays).items() if value is not None})


def test_known_points_appear_where_the_cameras_see_them(off_axis_scene, tmp_path):
    off_axis_scene.write_idr(tmp_path)
    views = read_views(tmp_path)
    off_axis_scene.assert_agrees_with(views)
    assert views.region.center == pytest.approx(off_axis_scene.center)
    assert views.region.radius == pytest.approx(2 * off_axis_scene.radius)


def test_intrinsics_and_rotations_are_what_they_were(off_axis_scene, tmp_path):
    off_axis_scene.write_idr(tmp_path)
    cameras = read_views(tmp_path, ViewsConfig(format="idr")).cameras
    expected = [[110.0, 0, 44.2], [0, 110.0, 37.9], [0, 0, 1]]
    np.testing.assert_allclose(cameras.intrinsics, np.broadcast_to(expected, (6, 3, 3)), atol=1e-8)
    for view in range(6):
        np.testing.assert_allclose(cameras.rotations[view], np.stack(off_axis_scene.axes(view)[:3]), atol=1e-10)


def test_neus_names_and_folders(scene, tmp_path):
    scene.write_idr(tmp_path)
    (tmp_path / "cameras.npz").rename(tmp_path / "cameras_sphere.npz")
    np.savez(tmp_path / "cameras.npz", world_mat_0=np.zeros((4, 4)))
    (tmp_path / "image").rename(tmp_path / "rgb")
    scene.assert_agrees_with(read_views(tmp_path))


def test_some_of_the_images_keep_their_own_cameras(scene, tmp_path):
    scene.write_idr(tmp_path)
    for view in (0, 2, 3):
        (tmp_path / "image" / f"00{view}.png").unlink()
    views = read_views(tmp_path)
    assert views.names == ["001.png", "004.png", "005.png"]
    np.testing.assert_allclose(views.cameras.centers()[1], scene.axes(4)[3])
    assert (views.mask(1) == scene.silhouette(4)).all()


def test_without_scale_mat_there_is_no_region(scene, tmp_path):
    scene.write_idr(tmp_path)
    change(tmp_path, scale_mat_3=None)
    assert read_views(tmp_path).region is None


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"world_mat_2": np.zeros((4, 4))}, "world_mat_2 .* is no projection"),
        ({"world_mat_2": np.full((4, 4), np.nan)}, "world_mat_2 .* is no projection"),
        ({"world_mat_2": np.zeros(4)}, r"world_mat_2 .* is \(4,\) float64; expected a matrix"),
        ({"scale_mat_2": np.eye(4)}, "scale_mat differs"),
        ({"scale_mat_0": np.zeros((4, 4))}, "no similarity"),
        ({f"world_mat_{view}": None for view in range(6)}, "no world_mat_0"),
        ({"world_mat_5": None}, "5 cameras .* for 6 images"),
    ],
)
def test_damaged_cameras_are_one_sentence(scene, tmp_path, arrays, expected):
    scene.write_idr(tmp_path)
    change(tmp_path, **arrays)
    with pytest.raises(InputError, match=expected):
        read_views(tmp_path)


def test_a_truncated_file_is_refused(scene, tmp_path):
    scene.write_idr(tmp_path)
    file = tmp_path / "cameras.npz"
    file.write_bytes(file.read_bytes()[:700])
    with pytest.raises(InputError, match="cannot be read as NPZ"):
        read_views(tmp_path)
    shutil.rmtree(tmp_path / "image")
    file.write_bytes(b"")
    with pytest.raises(InputError, match="cannot be read as NPZ"):
        read_views(tmp_path)
