"""Free space behind a surface that is too far out, found in photographs of a ball."""

import pytest
import torch

from isopts.fit.photo.carving import CarveConfig, find_free_points
from isopts.fit.photo.consistency import PhotoConsistency
from isopts.fit.views.image_stack import image_pyramid
from isopts.geometry.fibonacci_directions import fibonacci_directions

RADIUS = 2 / 3


def too_large(radius):
    return lambda points: points.norm(dim=1) - radius


@pytest.fixture
def looked(iso_points):
    def look(prepared, radius, value=None, seed=0, previous=None, first=False, **config):
        surfels = iso_points(prepared, radius)
        views, generator = image_pyramid(prepared.images, 1)[0], torch.Generator().manual_seed(seed)
        value = value or too_large(radius)
        previous = surfels.points[:0] if previous is None else previous
        carve = CarveConfig(**config)
        return find_free_points(surfels, value, views, prepared.pixel, previous, carve, generator, first)

    return look


def test_between_a_surface_too_far_out_and_the_true_one_is_free_space(looked, close_views):
    found = looked(close_views, 1.2 * RADIUS).norm(dim=1)
    assert len(found) > 1000
    assert found.max() < 1.2 * RADIUS + 1e-4
    assert RADIUS < found.quantile(0.01) < 1.2 * RADIUS - 0.02


def test_more_iso_points_look_the_first_time(looked, close_views):
    first, later = (
        len(looked(close_views, 1.2 * RADIUS, first=first, first_rays=400, rays=100)) for first in (True, False)
    )
    assert first > 2 * later > 0


def test_nothing_is_found_behind_the_true_surface(looked, close_views):
    assert len(looked(close_views, RADIUS)) == 0


def test_it_looks_no_deeper_than_asked_and_not_beyond_the_back(looked, close_views):
    assert len(looked(close_views, 1.2 * RADIUS, depth=0.1)) == 0  # the true surface is 0.13 behind
    shell = lambda points: (points.norm(dim=1) - 1.15 * RADIUS).abs() - 0.05 * RADIUS  # noqa: E731
    assert len(looked(close_views, 1.2 * RADIUS, value=shell)) == 0


def test_what_was_found_stays_for_a_while_unless_a_surface_before_it_is_confirmed(looked, close_views):
    inside = 0.9 * RADIUS * fibonacci_directions(1000).float()
    inside = inside[inside[:, 2] > 0.3]
    before, again = looked(close_views, 1.4 * RADIUS), looked(close_views, 1.4 * RADIUS, previous=inside)
    stayed = (again[:, None] == inside).all(dim=2).any(dim=1).sum()
    assert len(again) - stayed == len(before)
    assert 0.3 < stayed / len(inside) < 0.6
    assert len(looked(close_views, RADIUS, previous=inside)) == 0


def test_the_generator_decides(looked, close_views):
    first, again, other = (looked(close_views, 1.2 * RADIUS, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first[:100], other[:100])


@pytest.mark.parametrize(
    ("carve", "extraction", "progress", "found"),
    [({}, 3, 0.3, True), ({}, 3, 0.5, False), ({}, 4, 0.3, False), ({"depth": 0.0}, 3, 0.3, False)],
)
def test_it_looks_in_the_first_part_of_a_fit(iso_points, close_views, small_config, carve, extraction, progress, found):
    config = small_config()
    photo = config.photo.model_copy(update={"carve": CarveConfig(points=40, **carve), "levels": (), "floors": (0.0,)})
    term = PhotoConsistency(close_views, config.model_copy(update={"photo": photo}), torch.Generator().manual_seed(0))
    term.look_behind(iso_points(close_views, 1.2 * RADIUS), too_large(1.2 * RADIUS), 0, 0.0)
    term.look_behind(iso_points(close_views, 1.2 * RADIUS), too_large(1.2 * RADIUS), extraction, progress)
    drawn = term.drawn_free_points()
    assert len(drawn) == (40 if found else 0)
    if found:
        assert (drawn[:, None] == term.free_points).all(dim=2).any(dim=1).all()
