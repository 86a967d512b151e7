"""Masks from distance maps lie where the object is, whatever each of both was shrunk by."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from isopts.data.posed_image import PosedImage
from isopts.data.posed_views import PosedViews
from isopts.fit.views.image_stack import stack_images
from isopts.fit.views.moved_silhouettes import moved_maps, with_masks
from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.frames import WorldToUnit
from isopts.geometry.silhouette_maps import silhouette_maps

SIZE, CENTER, RADIUS = (101, 75), (57.0, 41.0), 24.0  # pixels; the size is divisible by nothing


class Disc(PosedViews):
    """A grey photograph of a disc, and its mask, without files."""

    def image(self, view: int) -> np.ndarray:
        return np.full((*SIZE[::-1], 3), 99, np.uint8)

    def mask(self, view: int) -> np.ndarray:
        row, column = np.mgrid[: SIZE[1], : SIZE[0]]
        return np.hypot(column - CENTER[0], row - CENTER[1]) < RADIUS


@pytest.fixture
def disc() -> PosedViews:
    camera = Camera(np.array([[90.0, 0, 50], [0, 90, 37], [0, 0, 1]]), np.eye(3), np.array([0, 0, 3.0]))
    return Disc(Cameras.stack([camera], [SIZE]), (PosedImage(Path("disc.png"), camera),), "idr", "dir")


def pixels_of(factor: int) -> int:
    """So many at most, that the disc's image is shrunk by `factor`."""
    return math.ceil(SIZE[0] * SIZE[1] / factor**2)


@pytest.mark.parametrize("images_factor", [1, 2, 4])
@pytest.mark.parametrize("map_factor", [1, 2, 3, 4])
@pytest.mark.parametrize("offset", [0.0, 2.0])
def test_a_disc_stays_where_it_is(disc, map_factor, images_factor, offset):
    images = stack_images(disc, WorldToUnit((0.0, 0.0, 0.0), 1.0), pixels_of(images_factor), torch.device("cpu"))
    maps = silhouette_maps([disc.mask(0)], pixels_of(map_factor))
    width, height = images.cameras.sizes[0].tolist()
    factor = images_factor
    assert (width, height) == (SIZE[0] // factor, SIZE[1] // factor)
    moved = with_masks(images, moved_maps(maps, disc.cameras, images.cameras, offset / factor), disc.cameras)
    row, column = np.nonzero(moved.masks.view(height, width).numpy())
    center = (np.array([column.mean(), row.mean()]) + 0.5) * factor - 0.5
    assert np.abs(center - CENTER).max() < 0.1 * factor
    assert (len(row) / np.pi) ** 0.5 * factor == pytest.approx(RADIUS - offset, abs=0.3 * max(factor, map_factor))
    if offset == 0:
        assert (moved.masks != images.masks).sum() < 0.3 * 2 * np.pi * RADIUS / factor  # of the pixels on the outline
