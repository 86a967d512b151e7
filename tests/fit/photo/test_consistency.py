"""Patches on a ball that bend find it where it is; what they know of it goes into a checkpoint."""

import pytest
import torch

from isopts.errors import InputError
from isopts.fit.photo.consistency import PhotoConsistency
from isopts.fit.views.surfels import Surfels

RADIUS = 2 / 3
END = 1.0  # of a fit: the finest images


@pytest.fixture
def surfels(close_views, iso_points) -> Surfels:
    return iso_points(close_views, RADIUS, 3000)


@pytest.fixture
def photo_term(close_views, small_config):
    def make(generator: torch.Generator | None = None, **changes) -> PhotoConsistency:
        config, generator = small_config(), generator or torch.Generator().manual_seed(0)
        photo = config.photo.model_copy(update={"levels": (), "floors": (0.0,), **changes})
        return PhotoConsistency(close_views, config.model_copy(update={"photo": photo}), generator)

    return make


def loss(term: PhotoConsistency, surfels: Surfels, offset: float = 0.0) -> float:
    """Of surfels of a field whose surface is so far outwards of them."""
    chosen, values = torch.arange(len(surfels.points)), torch.full((len(surfels.points),), -offset)
    return float(term.loss(chosen, surfels.cosines, surfels.points, values, surfels.normals, END)[0])


def test_bent_patches_agree_best_on_the_ball_and_flat_ones_below_it(photo_term, surfels, exact_ball, close_views):
    steps = torch.linspace(-0.4, 0.4, 17).tolist()  # pixels

    def best(bend_pixels: float) -> float:
        losses = []
        for step in steps:
            term = photo_term(bend_pixels=bend_pixels, detrended_levels=0)
            term.use_surfels(surfels, lambda points: exact_ball(RADIUS).value_and_gradient(points)[1], END)
            losses.append(loss(term, surfels, step * close_views.pixel))
        return steps[losses.index(min(losses))]

    assert best(0) <= -0.1
    assert abs(best(1.5)) <= 0.051


def test_levels_that_are_detrended_are_compared_otherwise(photo_term, surfels):
    losses = [loss(photo_term(detrended_levels=levels), surfels) for levels in (0, 1, 4)]
    assert losses[0] != losses[1] == losses[2]


def test_it_continues_from_a_checkpoint(photo_term, surfels, exact_ball):
    first, second = torch.Generator().manual_seed(0), torch.Generator()
    term, again = photo_term(first, half_size=5), photo_term(second, half_size=5)
    term.use_surfels(surfels, lambda points: exact_ball(RADIUS).value_and_gradient(points)[1], END)
    term.free_points = surfels.points[:5]
    again.restore(term.tensors(), len(surfels.points), "checkpoint.pt")
    second.set_state(first.get_state())
    assert torch.equal(again.free_points, term.free_points)
    assert loss(again, surfels) == loss(term, surfels) != loss(photo_term(half_size=5), surfels)
    with pytest.raises(InputError, match=r"checkpoint\.pt.*damaged"):
        photo_term().restore(term.tensors(), len(surfels.points) + 1, "checkpoint.pt")


def test_views_that_do_not_see_the_surroundings_do_not_compare(photo_term, surfels, exact_ball):
    hidden = surfels.points[:, 0] > 0
    half = surfels._replace(cosines=torch.where(hidden[:, None], 0, surfels.cosines))
    numbers = torch.nonzero(~hidden & (surfels.points[:, 0] > -0.02))[:, 0]

    def compared(seen_share: float) -> int:
        term = photo_term(seen_share=seen_share, half_size=5)
        term.use_surfels(half, lambda points: exact_ball(RADIUS).value_and_gradient(points)[1], END)
        at = half.points[numbers], torch.zeros(len(numbers)), half.normals[numbers]
        return int((term.loss(numbers, half.cosines[numbers], *at, END)[1] >= 0).sum())

    assert compared(0.9) < 0.7 * compared(0)
