"""Middlebury's parameter file, written here by its definition."""

import numpy as np
import pytest

from isopts.data.masks import MaskConfig
from isopts.data.views import ViewsConfig, read_views
from isopts.errors import InputError

BLACK = ViewsConfig(masks=MaskConfig(source="black"))


def lines(scene):
    intrinsics = np.array([[scene.focal, 0, scene.principal[0]], [0, scene.focal, scene.principal[1]], [0, 0, 1]])
    yield str(scene.views)
    for view in range(scene.views):
        right, down, forward, eye = scene.axes(view)
        rotation = np.stack([right, down, forward])
        numbers = [*intrinsics.ravel(), *rotation.ravel(), *(-rotation @ eye)]
        yield " ".join([f"ball{view}.png", *(repr(float(number)) for number in numbers)])


def write(scene, folder, change=lambda text: text):
    scene.write_images(folder, [f"ball{view}.png" for view in range(6)])
    (folder / "ball_par.txt").write_text(change("\n".join(lines(scene)) + "\n"))


def test_known_points_appear_where_the_cameras_see_them(off_axis_scene, tmp_path):
    write(off_axis_scene, tmp_path)
    off_axis_scene.assert_agrees_with(read_views(tmp_path, BLACK), mask_error=0.01)  # marks on the rim stick out
    off_axis_scene.assert_agrees_with(read_views(tmp_path / "ball_par.txt", BLACK), mask_error=0.01)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("6\n", "7\n", "lists 6 cameras but begins with '7'"),
        ("6\n", "", "lists 5 cameras but begins with ''"),
        ("ball2.png 110.0", "ball2.png", "line 4: expected an image and 21 numbers .*, got 21 words"),
        ("ball2.png 110.0", "ball2.png nan", "line 4"),
        ("ball2.png 110.0", "ball2.png f=110.0", "line 4"),
        ("ball3.png", "absent.png", "absent.png' does not exist"),
    ],
)
def test_damaged_files_are_one_sentence(scene, tmp_path, old, new, expected):
    write(scene, tmp_path, lambda text: text.replace(old, new, 1))
    with pytest.raises(InputError, match=expected):
        read_views(tmp_path, BLACK)
