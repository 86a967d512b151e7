"""transforms.json in three flavours, written here by their definitions."""

import json
import math

import numpy as np
import pytest

from isopts.data.masks import MaskConfig
from isopts.data.views import ViewsConfig, read_views
from isopts.errors import InputError

NAMES = [f"r_{view}.png" for view in range(6)]
LENS = {"k1": -0.12, "k2": 0.05, "p1": 0.01, "p2": -0.015}


def to_world(scene, view):
    """OpenGL's camera axes in the columns: right, up, backward, eye."""
    right, down, forward, eye = scene.axes(view)
    return np.vstack([np.stack([right, -down, -forward, eye], axis=1), [0, 0, 0, 1]]).tolist()


def distort(x, y):
    """OpenCV's formula."""
    k1, k2, p1, p2 = LENS.values()
    r2 = x**2 + y**2
    radial = 1 + k1 * r2 + k2 * r2**2
    return (
        x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2),
        y * radial + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y,
    )


def write(folder, frames, name="transforms.json", **shared):
    (folder / name).write_text(json.dumps({**shared, "frames": frames}))


def write_blender(scene, folder):
    scene.write_images(folder / "train", NAMES, alpha=True)
    frames = [
        {"file_path": f"./train/r_{view}", "rotation": 0.01, "transform_matrix": to_world(scene, view)}
        for view in range(6)
    ]
    angle = 2 * math.atan(scene.width / 2 / scene.focal)
    write(folder, frames, "transforms_train.json", camera_angle_x=angle)
    return frames


def test_blender(scene, tmp_path):
    write_blender(scene, tmp_path)
    views = read_views(tmp_path)
    assert views.mask_source == "alpha"
    assert views.region is None
    scene.assert_agrees_with(views)
    scene.assert_agrees_with(read_views(tmp_path / "transforms_train.json"))


def test_instant_ngp_with_a_lens(off_axis_scene, tmp_path):
    scene = off_axis_scene
    scene.write_images(tmp_path / "images", NAMES, lens=distort)
    scene.write_masks(tmp_path / "mask", NAMES, lens=distort)
    frames = [{"file_path": f"images/{name}", "transform_matrix": to_world(scene, i)} for i, name in enumerate(NAMES)]
    shared = {"fl_x": scene.focal, "fl_y": scene.focal, "cx": 44.2 + 0.5, "cy": 37.9 + 0.5, "w": 96, "h": 72}
    write(tmp_path, frames, camera_angle_x=0.9, aabb_scale=4, k3=0, **LENS, **shared)
    views = read_views(tmp_path)
    assert (views.cameras.intrinsics[:, 0, 0] > scene.focal).all()  # zoomed, so that no pixel is blank
    scene.assert_agrees_with(views, tolerance=0.08, mask_error=0.007)  # masks are resampled too


def test_nerfstudio_with_intrinsics_and_masks_of_each_frame(off_axis_scene, tmp_path):
    scene = off_axis_scene
    scene.write_images(tmp_path / "images", NAMES)
    scene.write_masks(tmp_path / "masks", [f"m{name}" for name in NAMES])
    frames = [
        {
            "file_path": f"images/{name}",
            "mask_path": f"masks/m{name}",
            "transform_matrix": to_world(scene, view),
            **{"fl_x": scene.focal, "fl_y": scene.focal, "cx": 44.7, "cy": 38.4, "w": 96, "h": 72},
        }
        for view, name in enumerate(NAMES)
    ]
    write(tmp_path, frames, camera_model="OPENCV", fl_x=1.0, applied_transform=np.eye(4)[:3].tolist())
    scene.assert_agrees_with(read_views(tmp_path))


def test_alpha_can_be_turned_round(scene, tmp_path):
    write_blender(scene, tmp_path)
    views = read_views(tmp_path, ViewsConfig(masks=MaskConfig(source="alpha", invert=True)))
    assert (views.mask(2) == ~scene.silhouette(2)).all()


def test_frames_without_an_image_are_skipped_unless_they_are_the_majority(scene, tmp_path):
    write_blender(scene, tmp_path)
    for view in (1, 4, 5):
        (tmp_path / "train" / f"r_{view}.png").unlink()
        if view == 4:
            views = read_views(tmp_path)
            assert views.names == ["r_0.png", "r_2.png", "r_3.png", "r_5.png"]
            np.testing.assert_allclose(views.cameras.centers()[1], scene.axes(2)[3])
            assert views.notes[0].startswith("2 of 6 frames in '")
            assert views.notes[0].endswith("they have no image, such as '" + str(tmp_path / "train" / "r_1.png") + "'.")
    (tmp_path / "train" / "r_0.png").unlink()
    with pytest.raises(InputError, match=r"r_0\.png' does not exist \(and 3 more of 6\)"):
        read_views(tmp_path)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"file_path": 3}, "no file_path"),
        ({"transform_matrix": [[1, 2], [3, 4]]}, "no transform_matrix of 4 x 4"),
        ({"transform_matrix": np.diag([1, 2, 3, 1]).tolist()}, "no rotation and shift"),
        ({"fl_x": -5}, "focal lengths -5"),
        ({"fl_x": "wide"}, "'fl_x' is 'wide'; expected a number"),
        ({"k1": float("nan")}, "'k1' is nan"),
        ({"camera_model": "OPENCV_FISHEYE"}, "a lens that is not supported"),
        ({"k3": 0.1}, "a lens that is not supported"),
        ({"k1": -1e6}, "r_3.png' is distorted too much"),
        ({"w": 95, "h": 72}, "r_3.png' is 96x72, its camera 95x72"),
    ],
)
def test_damaged_frames_are_one_sentence(scene, tmp_path, change, expected):
    frames = write_blender(scene, tmp_path)
    frames[3] |= change
    write(tmp_path, frames, "transforms_train.json", camera_angle_x=0.8)
    with pytest.raises(InputError, match=expected):
        read_views(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "no valid JSON"),
        ("[]", "no list of frames"),
        ('{"frames": 3}', "no list of frames"),
        ('{"frames": []}', "0 images; at least 3"),
        ("[" * 100_000, "no valid JSON"),
    ],
)
def test_damaged_files_are_one_sentence(tmp_path, text, expected):
    (tmp_path / "transforms.json").write_text(text)
    with pytest.raises(InputError, match=expected):
        read_views(tmp_path)


def test_a_frame_without_focal_length_is_one_sentence(scene, tmp_path):
    write(tmp_path, write_blender(scene, tmp_path), "transforms_train.json")
    with pytest.raises(InputError, match="neither fl_x nor camera_angle_x"):
        read_views(tmp_path)
