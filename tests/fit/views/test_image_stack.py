"""Images in one buffer: what is looked up is what the pictures show, at every size."""

import numpy as np
import pytest
import torch

from isopts.data.view_formats.idr_writer import write_idr_cameras, write_idr_view
from isopts.data.views import read_views
from isopts.fit.views.image_stack import ImageStack, image_pyramid, stack_images
from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.sphere import Sphere

SIZES = [(17, 11), (9, 14), (24, 10)]  # width, height
REGION = Sphere((500.0, -30.0, 20.0), 10.0)
CPU = torch.device("cpu")


def pictures(sizes):
    generator = np.random.default_rng(0)
    images = [generator.integers(0, 256, (height, width, 3), dtype=np.uint8) for width, height in sizes]
    return images, [generator.uniform(size=image.shape[:2]) < 0.5 for image in images]


def written(folder, images, masks, focal=30.0):
    """Posed views that look along z at REGION from 40 away; the principal point is off the middle."""
    cameras = []
    for view, (image, mask) in enumerate(zip(images, masks, strict=True)):
        write_idr_view(folder, view, len(images), image, mask, np.zeros(mask.shape))
        height, width = mask.shape
        intrinsics = np.array([[focal, 0, 0.45 * width], [0, focal, 0.55 * height], [0, 0, 1]])
        cameras.append(Camera(intrinsics, np.eye(3), np.array([0, 0, 40.0]) - REGION.center))
    sizes = [mask.shape[::-1] for mask in masks]
    write_idr_cameras(folder / "cameras.npz", Cameras.stack(cameras, sizes), REGION)
    return read_views(folder)


@pytest.fixture
def uneven(tmp_path) -> tuple[ImageStack, list[np.ndarray], list[np.ndarray]]:
    """Images of three sizes, not shrunk, and what they show."""
    images, masks = pictures(SIZES)
    return stack_images(written(tmp_path, images, masks), REGION.frame(), 10_000, CPU), images, masks


def at(view, places):
    return torch.full((len(places),), view), torch.tensor(places, dtype=torch.float32)


def test_a_pixel_has_its_own_colour_and_mask(uneven):
    stack, images, masks = uneven
    assert stack.cameras.sizes.tolist() == [list(size) for size in SIZES]
    for view, (width, height) in enumerate(SIZES):
        row, column = np.mgrid[:height, :width]
        where = at(view, np.stack([column, row], axis=-1).reshape(-1, 2).tolist())
        torch.testing.assert_close(255 * stack.sample(*where), torch.from_numpy(images[view]).view(-1, 3).float())
        assert stack.masked(*where).tolist() == masks[view].ravel().tolist()


def test_between_pixels_is_the_bilinear_mean_and_beyond_the_border_it_goes_on(uneven):
    stack, images, _ = uneven
    view, image = 1, images[1].astype(np.float64)
    found = 255 * stack.sample(*at(view, [[3.5, 6.0], [3.25, 6.5], [-4.0, 2.0], [99.0, 99.0], [7.5, -0.4]]))
    upper = 0.75 * image[6, 3] + 0.25 * image[6, 4]
    lower = 0.75 * image[7, 3] + 0.25 * image[7, 4]
    expected = [
        (image[6, 3] + image[6, 4]) / 2,
        (upper + lower) / 2,
        image[2, 0],
        image[13, 8],
        (image[0, 7] + image[0, 8]) / 2,
    ]
    np.testing.assert_allclose(found.numpy(), np.stack(expected), rtol=1e-5)


def test_nothing_outside_an_image_is_on_the_object(tmp_path):
    images, _ = pictures(SIZES)
    stack = stack_images(
        written(tmp_path, images, [np.ones(i.shape[:2], bool) for i in images]), REGION.frame(), 999, CPU
    )
    inside, outside = [[-0.49, 0.0], [16.49, 10.49]], [[-0.51, 0.0], [16.51, 5.0], [3.0, 10.51], [3.0, -0.51]]
    assert stack.masked(*at(0, inside + outside)).tolist() == [True] * 2 + [False] * 4


def test_places_invert_the_order_of_the_buffer(uneven):
    stack, images, _ = uneven
    total = sum(width * height for width, height in SIZES)
    assert len(stack.colors) == len(stack.masks) == total
    views, pixels = stack.places(torch.arange(total))
    assert torch.bincount(views).tolist() == [width * height for width, height in SIZES]
    for index in (0, 186, 187, 187 + 9, 187 + 126, total - 1):
        column, row = pixels[index].long().tolist()
        assert stack.colors[index].tolist() == images[views[index]][row, column].tolist()
    again = stack.first[views] + pixels[:, 1].long() * stack.cameras.sizes[views, 0] + pixels[:, 0].long()
    assert torch.equal(again, torch.arange(total))


def test_images_of_one_pixel_width_can_be_sampled(tmp_path):
    images, masks = pictures([(1, 9), (8, 1), (5, 5)])
    stack = stack_images(written(tmp_path, images, masks), REGION.frame(), 999, CPU)
    found = 255 * stack.sample(torch.tensor([0, 1]), torch.tensor([[0.3, 2.5], [2.5, 0.7]]))
    expected = [images[0][2:4, 0].mean(axis=0), images[1][0, 2:4].mean(axis=0)]
    np.testing.assert_allclose(found.numpy(), np.stack(expected), rtol=1e-5)


def blob(width, height, column, row, deviation=6.0):
    """A bright spot whose centroid is at (column, row)."""
    rows, columns = np.mgrid[:height, :width]
    spot = np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * deviation**2))
    return np.repeat((250 * spot + 0.5).astype(np.uint8)[..., None], 3, axis=2)


def centroid(grey):
    weight = grey.astype(np.float64)
    row, column = np.mgrid[: grey.shape[0], : grey.shape[1]]
    return np.array([(weight * column).sum(), (weight * row).sum()]) / weight.sum()


POINT = np.array([502.0, -31.5, 23.0])  # world
ODD = [(131, 97), (126, 103), (128, 101)]


def views_of_a_blob(folder):
    """Bright where POINT is, in images of odd sizes."""
    focal, images = 130.0, []
    for width, height in ODD:
        x, y, z = POINT - REGION.center + [0, 0, 40]
        images.append(blob(width, height, focal * x / z + 0.45 * width, focal * y / z + 0.55 * height))
    return written(folder, images, [image[..., 0] > 60 for image in images], focal)


@pytest.mark.parametrize("pixels_max", [14_000, 3500, 1500])
def test_a_point_stays_on_what_shows_it_at_every_size(tmp_path, pixels_max):
    """A camera of which half a pixel is forgotten would miss by twice the tolerance."""
    views = views_of_a_blob(tmp_path)
    stack = stack_images(views, REGION.frame(), pixels_max, CPU)
    assert int(stack.cameras.sizes.prod(dim=1).max()) <= pixels_max
    point = torch.from_numpy((POINT - REGION.center) / REGION.radius).float()[None]
    original, _ = views.cameras.project(torch.from_numpy(POINT)[None])
    pyramid = image_pyramid(stack, 3)
    assert len(pyramid) == 3
    for level, seen in enumerate(pyramid):
        assert torch.equal(seen.sizes.long(), stack.cameras.sizes // 2**level)
        for view, (width, height) in enumerate(seen.sizes.tolist()):
            start = int(seen.first[view])
            grey = seen.greys[start : start + width * height].view(height, width).numpy()
            u, v, depth = (seen.projections[view] @ torch.cat((point[0], torch.ones(1)))).tolist()
            assert np.array([u, v]) / depth == pytest.approx(centroid(grey), abs=0.12)
            factor = views.cameras.sizes[view, 0] // stack.cameras.sizes[view, 0] * 2**level
            relative = (original[view, 0] + 0.5) / factor
            assert [u / depth + 0.5, v / depth + 0.5] == pytest.approx(relative.tolist(), abs=1e-3)
            mask = seen.masks[start : start + width * height].view(height, width).numpy()
            area = views.mask(view).sum() / factor.item() ** 2  # a pixel where half of it or more is on the object
            assert float(mask.sum()) == pytest.approx(area, abs=2 * np.sqrt(area))
            ray = seen.backprojections[view] @ torch.tensor([u / depth, v / depth, 1.0])
            torch.testing.assert_close(seen.centers[view] + depth * ray, point[0], atol=1e-4, rtol=0)


def test_colours_are_found_where_the_point_is_though_the_image_was_shrunk(tmp_path):
    views = views_of_a_blob(tmp_path)
    brightest = []
    for pixels_max in (14_000, 1500):
        stack = stack_images(views, REGION.frame(), pixels_max, CPU)
        point = torch.from_numpy((POINT - REGION.center) / REGION.radius).float()[None]
        pixels, _ = stack.cameras.project(point)
        brightest.append(stack.sample(torch.arange(3), pixels[:, 0]).mean())
    assert brightest[0] > 0.97
    assert brightest[1] > 0.85


def test_small_images_have_a_short_pyramid(uneven):
    stack, _, _ = uneven
    assert [int(level.sizes.min()) for level in image_pyramid(stack, 9)] == [9, 4, 2, 1]


def test_greys_weigh_the_colours_as_the_eye_does(tmp_path):
    images = [np.zeros((4, 4, 3), dtype=np.uint8) for _ in range(3)]
    for channel, image in enumerate(images):
        image[..., channel] = 200
    stack = stack_images(written(tmp_path, images, [np.ones((4, 4), bool)] * 3), REGION.frame(), 999, CPU)
    greys = image_pyramid(stack, 1)[0].greys.view(3, 16)
    assert greys.float().mean(dim=1).tolist() == [60, 117, 23]
