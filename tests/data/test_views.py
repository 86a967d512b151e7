"""Detection of formats, what belongs to what, and the pictures behind the cameras."""

import shutil
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import torch

from isopts.data.masks import MaskConfig
from isopts.data.meshes import read_mesh
from isopts.data.posed_views import _Pictures
from isopts.data.region import region_of_interest, view_silhouettes
from isopts.data.view_problems import mask_problems, pose_problems, require_no_problems
from isopts.data.views import ViewsConfig, read_views
from isopts.errors import InputError
from isopts.evaluate.silhouettes import silhouette_agreement
from isopts.geometry.sphere import Sphere


@pytest.fixture
def folder(scene, tmp_path):
    scene.write_idr(tmp_path)
    return tmp_path


def test_pictures_are_uint8_and_read_when_asked_for(scene, folder):
    views = read_views(folder)
    (folder / "image" / "004.png").write_bytes(b"no image any more")
    image, mask = views.image(2), views.mask(2)
    assert (image.dtype, image.shape) == (np.uint8, (72, 96, 3))
    assert (image == scene.picture(2)).all()
    assert (mask.dtype, mask.shape) == (bool, (72, 96))
    assert views.image(2) is image
    assert not image.flags.writeable
    with pytest.raises(InputError, match=r"004\.png' cannot be read as an image"):
        views.image(4)


def test_grey_images_become_color(scene, folder):
    imageio.imwrite(folder / "image" / "001.png", scene.picture(1)[..., 0])
    assert (read_views(folder).image(1) == scene.picture(1)).all()


def test_some_views(scene, folder):
    whole = read_views(folder)
    views = whole.select([4, 1])
    assert views.image(0) is whole.image(4)
    assert views.names == ["004.png", "001.png"]
    assert (views.mask(0) == scene.silhouette(4)).all()
    np.testing.assert_allclose(views.cameras.centers()[1], scene.axes(1)[3])


def test_the_oldest_pictures_are_forgotten_first():
    kept = _Pictures(bytes_max=250)
    decoded = []

    def get(view):
        def decode():
            decoded.append(view)
            return np.zeros(100, np.uint8)

        return kept.get(("image", Path(str(view))), decode)

    for view in (0, 1, 0, 2, 0, 1):
        get(view)
    assert decoded == [0, 1, 2, 1]


def test_the_format_can_be_forced_and_is_found(folder):
    assert read_views(folder).format == "idr"
    assert read_views(folder / "cameras.npz").format == "idr"
    (folder / "transforms.json").write_text("{}")
    assert read_views(folder).format == "idr"
    with pytest.raises(InputError, match=r"transforms\.json' has no list of frames"):
        read_views(folder, ViewsConfig(format="transforms"))
    with pytest.raises(InputError, match="has no cameras; expected a COLMAP model in sparse/0 in it"):
        read_views(folder, ViewsConfig(format="colmap"))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda folder: shutil.rmtree(folder), "does not exist; expected a folder of posed images"),
        (lambda folder: (folder / "cameras.npz").unlink(), r"has no cameras; expected data_dict\.npz, cameras_sphere"),
        (lambda folder: shutil.rmtree(folder / "image"), "no folder with images; expected one of image, images, rgb"),
        (lambda folder: shutil.rmtree(folder / "mask"), "has no masks: no folder 'mask' and no alpha channel"),
        (lambda folder: (folder / "mask" / "003.png").unlink(), r"003\.png' has no mask in"),
        (lambda folder: (folder / "image" / "002.png").write_bytes(b""), r"002\.png' cannot be read as an image"),
    ],
)
def test_what_is_missing_is_named(folder, change, expected):
    change(folder)
    with pytest.raises(InputError, match=expected):
        read_views(folder)


@pytest.mark.parametrize("sphere", [(0.0, 0.0, 0.0, 0.0), (0.0, 0.0, float("nan"), 1.0)])
def test_a_sphere_needs_a_radius(folder, sphere):
    with pytest.raises(InputError, match="has no positive radius"):
        read_views(folder, ViewsConfig(sphere=sphere))
    assert read_views(folder, ViewsConfig(sphere=(1.0, 2.0, 3.0, 4.0))).region == Sphere((1.0, 2.0, 3.0), 4.0)


def test_all_mistakes_of_masks_are_found(scene, folder):
    views = read_views(folder)
    assert mask_problems(views) == {}
    masks = folder / "mask"
    imageio.imwrite(masks / "000.png", np.zeros((72, 96), np.uint8))
    imageio.imwrite(masks / "002.png", 255 * (~scene.silhouette(2)).astype(np.uint8))
    imageio.imwrite(masks / "003.png", np.zeros((36, 48), np.uint8))
    (masks / "005.png").write_bytes(b"")
    problems = mask_problems(read_views(folder))
    assert sorted(problems) == [0, 2, 3, 5]
    assert f"The mask of '{masks / '000.png'}' is empty" in problems[0]
    assert "002.png' looks inverted" in problems[2]
    assert "003.png' is 48x36, its image 96x72; expected the same size." in problems[3]
    assert "005.png' cannot be read" in problems[5]
    with pytest.raises(InputError, match=r"000\.png' is empty.*\(3 more like this"):
        require_no_problems(problems)


def test_cameras_that_miss_the_object_are_found(scene, folder):
    views = read_views(folder)
    assert pose_problems(views, views.region) == {}
    beyond = np.array(scene.axes(0)[3]) + scene.axes(0)[2] * -1.0  # behind the first camera
    problems = pose_problems(views, Sphere(tuple(beyond), 0.3))
    assert 0 in problems
    assert "000.png' does not see the sphere around the object" in problems[0]


def test_the_region_comes_from_the_masks_where_nothing_else_says_it(scene, folder):
    known = dict(np.load(folder / "cameras.npz"))
    np.savez(folder / "cameras.npz", **{name: value for name, value in known.items() if "scale" not in name})
    views = read_views(folder)
    assert views.region is None
    region = region_of_interest(views, view_silhouettes(views))
    assert np.linalg.norm(np.array(region.center) - scene.center) < 0.1 * scene.radius
    assert 1.1 < region.radius / scene.radius < 1.5


@pytest.mark.needs_data
def test_the_reference_fills_the_masks_of_a_rendered_set(data_dir):
    folder = data_dir / "views" / "nefertiti_textured"
    views = read_views(folder)
    assert (len(views), views.format, views.mask_source) == (49, "idr", "dir")
    assert views.region.radius == pytest.approx(130)
    chosen = views.select([0, 17, 33, 48])
    mesh = read_mesh(folder / "reference.ply")
    agreements = silhouette_agreement(mesh, chosen.cameras, (chosen.mask(view) for view in range(4)), 40_000)
    assert min(agreement.iou for agreement in agreements) > 0.99


@pytest.mark.needs_data
def test_the_hull_of_the_dino_has_the_published_size(data_dir):
    """README of the data: the tight bounding box of the object."""
    config = ViewsConfig(masks=MaskConfig(source="black"))
    views = read_views(data_dir / "views" / "middlebury_dino_sparse_ring", config)
    region = region_of_interest(views, view_silhouettes(views))
    low, high = np.array([-0.061897, -0.018874, -0.057845]), np.array([0.010897, 0.068227, 0.015495])
    assert np.linalg.norm(np.array(region.center) - (low + high) / 2) < 0.006
    assert 0.06 < region.radius < 0.09


@pytest.mark.needs_data
def test_a_dtu_scan(data_dir):
    views = read_views(data_dir / "views" / "dtu_scan65")
    assert (len(views), views.format) == (49, "idr")
    assert views.cameras.sizes.unique(dim=0).tolist() == [[800, 600]]
    pixels, depths = views.cameras.project(torch.tensor([views.region.center], dtype=torch.float64))
    assert (depths > 0).all()
    inside = [bool(views.mask(view)[round(float(row)), round(float(column))]) for view, ((column, row),) in
              enumerate(pixels)]  # fmt: skip
    assert np.mean(inside) > 0.9
