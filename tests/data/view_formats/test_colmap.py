"""COLMAP models, text and binary, written here by COLMAP's documentation of the formats."""

import struct

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from isopts.data.view_formats.colmap import read_colmap
from isopts.data.views import ViewsConfig, read_views
from isopts.errors import InputError

NAMES = [f"im{view}.jpg.png" for view in range(6)]
NUMBERS = {"SIMPLE_PINHOLE": 0, "PINHOLE": 1, "SIMPLE_RADIAL": 2, "RADIAL": 3, "OPENCV": 4, "FOV": 7}
MODELS = {
    "SIMPLE_PINHOLE": (110.0, 44.7, 38.4),
    "PINHOLE": (110.0, 110.0, 44.7, 38.4),
    "SIMPLE_RADIAL": (110.0, 44.7, 38.4, -0.1),
    "RADIAL": (110.0, 44.7, 38.4, -0.1, 0.2),
    "OPENCV": (110.0, 110.0, 44.7, 38.4, 0.1, -0.05, 0.004, -0.006),
}


def lens_of(model):
    """The distortion of COLMAP's documentation (src/colmap/sensor/models.h), None: none."""
    parameters = MODELS[model]
    if model in ("SIMPLE_PINHOLE", "PINHOLE"):
        return None
    k1, k2, p1, p2 = (*parameters[3:], 0, 0, 0)[:4] if model != "OPENCV" else parameters[4:]

    def distort(x, y):
        r2 = x * x + y * y
        radial = k1 * r2 + k2 * r2 * r2
        return (
            x + x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y + y * radial + 2 * p2 * x * y + p1 * (r2 + 2 * y * y),
        )

    return distort


def poses(scene):
    """Quaternion (w, x, y, z) and translation, world to camera."""
    for view in range(scene.views):
        right, down, forward, eye = scene.axes(view)
        rotation = np.stack([right, down, forward])
        x, y, z, w = Rotation.from_matrix(rotation).as_quat()
        yield (w, x, y, z), tuple(-rotation @ eye)


def write_text(scene, folder, model, points="10.5 20.5 -1 3.0 4.0 7"):
    folder.mkdir(parents=True)
    parameters = " ".join(map(repr, MODELS[model]))
    (folder / "cameras.txt").write_text(f"# Camera list\n3 {model} {scene.width} {scene.height} {parameters}\n")
    lines = ["# Image list", "# two lines each"]
    for number, ((quaternion, translation), name) in enumerate(zip(poses(scene), NAMES, strict=True), start=1):
        words = " ".join(repr(float(value)) for value in (*quaternion, *translation))
        lines += [f"{number} {words} 3 {name}", points]
    (folder / "images.txt").write_text("\n".join(lines) + "\n")


def write_binary(scene, folder, model):
    folder.mkdir(parents=True)
    parameters = MODELS[model]
    header = struct.pack("<QiiQQ", 1, 3, NUMBERS[model], scene.width, scene.height)
    (folder / "cameras.bin").write_bytes(header + struct.pack(f"<{len(parameters)}d", *parameters))
    images = struct.pack("<Q", scene.views)
    for number, ((quaternion, translation), name) in enumerate(zip(poses(scene), NAMES, strict=True), start=1):
        images += struct.pack("<i7di", number, *quaternion, *translation, 3) + name.encode() + b"\0"
        images += struct.pack("<Q", number) + struct.pack("<ddq", 1.5, 2.5, -1) * number
    (folder / "images.bin").write_bytes(images)


def write_pictures(scene, folder, model):
    scene.write_images(folder / "images", NAMES, lens=lens_of(model))
    scene.write_masks(folder / "masks", [f"{name}.png" for name in NAMES], lens=lens_of(model))


@pytest.mark.parametrize("write", [write_text, write_binary])
@pytest.mark.parametrize("model", MODELS)
def test_known_points_appear_where_the_cameras_see_them(off_axis_scene, tmp_path, model, write):
    write_pictures(off_axis_scene, tmp_path, model)
    write(off_axis_scene, tmp_path / "sparse" / "0", model)
    distorted = lens_of(model) is not None
    views = read_views(tmp_path)
    off_axis_scene.assert_agrees_with(
        views, tolerance=0.08 if distorted else 0.05, mask_error=0.007 if distorted else 0.002
    )


def test_images_without_2d_points(scene, tmp_path):
    write_pictures(scene, tmp_path, "PINHOLE")
    write_text(scene, tmp_path / "sparse", "PINHOLE", points="")
    assert len(read_views(tmp_path, ViewsConfig(format="colmap"))) == 6


def test_unregistered_images_are_skipped_and_counted(scene, tmp_path):
    write_pictures(scene, tmp_path, "PINHOLE")
    write_text(scene, tmp_path / "sparse" / "0", "PINHOLE")
    scene.write_images(tmp_path / "images", ["more/a.png", "b.png"])
    views = read_views(tmp_path)
    assert views.names == NAMES
    assert "2 images" in views.notes[0]
    assert "not registered them" in views.notes[0]


def edit(path, old, new):
    path.write_text(path.read_text().replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("cameras.txt", "PINHOLE", "FISHEYE", "model FISHEYE; supported are SIMPLE_PINHOLE, .*image_undistorter"),
        ("cameras.txt", "110.0 110.0", "110.0", "PINHOLE takes 4 numbers"),
        ("cameras.txt", "110.0", "-3", "no positive focal length"),
        ("cameras.txt", "110.0", "wide", "cameras.txt', line 2: expected number, model"),
        ("cameras.txt", "3 PINHOLE", "4 PINHOLE", "names camera 3, which is not there"),
        ("cameras.txt", "96 72", "48 36", "is 96x72, its camera 48x36; expected the same size"),
        ("images.txt", " 3 im", " im", "images.txt', line 3: expected number, 4 \\+ 3 numbers"),
        ("images.txt", "im2.jpg", "absent", "absent.png' does not exist"),
    ],
)
def test_damaged_text_is_one_sentence(scene, tmp_path, file, old, new, expected):
    write_pictures(scene, tmp_path, "PINHOLE")
    write_text(scene, tmp_path / "sparse" / "0", "PINHOLE")
    edit(tmp_path / "sparse" / "0" / file, old, new)
    with pytest.raises(InputError, match=expected):
        read_views(tmp_path)


def test_binary_models_that_end_early_are_refused(scene, tmp_path):
    write_pictures(scene, tmp_path, "OPENCV")
    write_binary(scene, tmp_path / "sparse", "OPENCV")
    for name in ("images.bin", "cameras.bin"):
        file = tmp_path / "sparse" / name
        whole = file.read_bytes()
        for length in range(0, len(whole), 41):
            file.write_bytes(whole[:length])
            with pytest.raises(InputError, match=f"{name}' is no COLMAP model or truncated"):
                read_colmap(tmp_path / "sparse")
        file.write_bytes(whole)
    assert len(read_views(tmp_path)) == 6


def test_a_model_without_its_images_is_refused(scene, tmp_path):
    write_text(scene, tmp_path / "sparse" / "0", "PINHOLE")
    with pytest.raises(InputError, match=r"im0\.jpg\.png' of the COLMAP model .* was not found"):
        read_views(tmp_path)
    (tmp_path / "sparse" / "0" / "images.txt").write_text("# nothing\n")
    with pytest.raises(InputError, match="no registered images"):
        read_views(tmp_path)
