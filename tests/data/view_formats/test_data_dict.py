"""The authors' data_dict.npz, written here with PyTorch3D's conventions."""

import math

import numpy as np
import pytest

from isopts.data.views import read_views
from isopts.errors import InputError

NAMES = [f"{view:06d}.png" for view in range(6)]


def camera_mat(scene):
    """Rows times matrix; camera axes left, up, forward: PyTorch3D's get_world_to_view_transform().get_matrix()."""
    matrices = []
    for view in range(scene.views):
        right, down, forward, eye = scene.axes(view)
        axes = np.stack([-right, -down, forward], axis=1)
        matrix = np.eye(4)
        matrix[:3, :3], matrix[3, :3] = axes, -eye @ axes
        matrices.append(matrix)
    return np.stack(matrices)


def field_of_view(scene):
    """PyTorch3D's default parameters but the angle: the shorter side of the image spans it."""
    return {"znear": 0.1, "fov": math.degrees(2 * math.atan(scene.height / 2 / scene.focal))}


def write(scene, folder, kind, parameters, **changes):
    scene.write_images(folder / "image", NAMES)
    scene.write_masks(folder / "mask", NAMES)
    contents = {
        "cameras_type": f"pytorch3d.renderer.cameras.{kind}",
        "cameras_params": parameters,
        "lights_type": "DSS.core.lighting.PointLights",
        "points": np.zeros((20, 3), np.float32),
        "camera_mat": camera_mat(scene).tolist(),
        "lights_0": {"location": [[0.0, 1.0, 0.0]]},
    }
    np.savez(folder / "data_dict.npz", **(contents | changes))
    np.savez(folder / "cameras.npz", world_mat_0=np.eye(4), scale_mat_0=np.eye(4))  # of DVR, another meaning


def test_field_of_view_cameras(scene, tmp_path):
    write(scene, tmp_path, "FoVPerspectiveCameras", field_of_view(scene))
    scene.assert_agrees_with(read_views(tmp_path))


def test_the_default_field_of_view_is_sixty_degrees(scene, tmp_path):
    write(scene, tmp_path, "FoVPerspectiveCameras", {"znear": 0.1})
    cameras = read_views(tmp_path).cameras
    assert cameras.intrinsics[0, 0, 0] == pytest.approx(36 / math.tan(math.pi / 6))


def test_focal_length_cameras_in_device_coordinates(off_axis_scene, tmp_path):
    scene = off_axis_scene
    shift = np.array([[47.5, 35.5]]) - scene.principal  # grows to the left and up
    parameters = {"focal_length": np.array([[110.0 / 36, 110.0 / 36]]), "principal_point": (shift / 36).tolist()}
    write(scene, tmp_path, "PerspectiveCameras", parameters)
    scene.assert_agrees_with(read_views(tmp_path))


def test_focal_length_cameras_in_pixels(off_axis_scene, tmp_path):
    scene = off_axis_scene
    corner_based = [[scene.principal[0] + 0.5, scene.principal[1] + 0.5]]
    parameters = {"focal_length": scene.focal, "principal_point": corner_based, "in_ndc": False}
    write(scene, tmp_path, "PerspectiveCameras", parameters)
    scene.assert_agrees_with(read_views(tmp_path))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"cameras_type": "FoVOrthographicCameras"},
            "is 'FoVOrthographicCameras'; supported are FoVPerspectiveCameras",
        ),
        ({"cameras_params": {"fov": "wide"}}, "'fov' in cameras_params .* is 'wide'"),
        ({"cameras_params": np.zeros(())}, "is no dict"),
        ({"camera_mat": np.zeros((6, 3, 3))}, "no camera_mat of V x 4 x 4"),
        ({"camera_mat": np.zeros((6, 4, 4))}, "no rotation and shift"),
        ({"camera_mat": np.stack([np.eye(4)] * 4)}, "4 cameras for 6 images"),
    ],
)
def test_damaged_files_are_one_sentence(scene, tmp_path, changes, expected):
    kind = changes.get("cameras_type", "FoVPerspectiveCameras")
    contents = {"parameters": {"znear": 0.1}} | {key: value for key, value in changes.items() if key != "cameras_type"}
    write(scene, tmp_path, kind, **contents)
    with pytest.raises(InputError, match=expected):
        read_views(tmp_path)
