"""A field that starts as the visual hull of its masks."""

import pytest
import torch

from isopts.field.build import build_field
from isopts.fit.starts.hull import start_as_hull, wrong_masks
from isopts.fit.views.config import StartConfig
from isopts.fit.views.prepared_views import PreparedViews
from isopts.geometry.silhouette_maps import silhouette_maps
from isopts.geometry.visual_hull import VisualHull

RADIUS = 2 / 3
STEPS = 120


@pytest.fixture
def grid_field(small_config):
    return build_field(small_config().field, torch.Generator().manual_seed(0))


def directions(count):
    points = torch.randn((count, 3), generator=torch.Generator().manual_seed(1))
    return points / points.norm(dim=1, keepdim=True)


def crossing(value, rays):
    """(N,) distances from the origin at which a star-shaped surface is met."""
    low, high = torch.full((len(rays),), 0.3), torch.full((len(rays),), 1.0)
    for _ in range(20):
        middle = (low + high) / 2
        outside = value(middle[:, None] * rays) > 0
        low, high = torch.where(outside, low, middle), torch.where(outside, middle, high)
    return (low + high) / 2


def test_the_zero_set_is_the_hull(prepared_ball, grid_field):
    error = start_as_hull(
        grid_field, prepared_ball.silhouettes, StartConfig(steps=STEPS), torch.Generator().manual_seed(0)
    )
    assert 0 < error < 0.01
    rays = directions(2000)
    with torch.no_grad():
        found = crossing(grid_field.value, rays)
        expected = crossing(VisualHull(prepared_ball.silhouettes, 0, 0.2), rays)
        lengths = grid_field.value_and_gradient(found[:, None] * rays)[1].norm(dim=1)
    assert expected.min() > RADIUS - 0.5 * prepared_ball.pixel  # the hull holds the ball
    assert (found - expected).abs().mean() < 0.01
    assert (found - expected).abs().max() < 0.08  # a ridge of the hull between two views
    assert lengths.mean() == pytest.approx(1, abs=0.1)
    assert (grid_field.value(directions(500) * 0.97) > 0.1).all()
    assert (grid_field.value(directions(500) * 0.3) < -0.2).all()


def test_the_same_seed_starts_the_same(prepared_ball, small_config):
    fields = []
    for _ in range(2):
        field = build_field(small_config().field, torch.Generator().manual_seed(0))
        start_as_hull(field, prepared_ball.silhouettes, StartConfig(steps=5), torch.Generator().manual_seed(4))
        fields.append(field)
    for one, other in zip(*(field.parameters() for field in fields), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(("tolerated", "whole"), [(1, True), (0, False)])
def test_a_wrong_mask_is_outvoted_when_it_may_be_wrong(prepared_ball: PreparedViews, grid_field, tolerated, whole):
    views = prepared_ball.source
    masks = [views.mask(view).copy() for view in range(len(views))]
    masks[0][:, 24:] = False
    silhouettes = silhouette_maps(masks).seen_by(views.cameras.in_frame(prepared_ball.frame))
    config = StartConfig(steps=STEPS, wrong_masks=tolerated)
    start_as_hull(grid_field, silhouettes, config, torch.Generator().manual_seed(0))
    right = prepared_ball.cameras.rotations[0, 0]  # of the first image, where its object was erased
    with torch.no_grad():
        inside = grid_field.value(torch.linspace(0.1, 0.5, 9)[:, None] * right) < 0
    assert inside.all() == whole
    assert inside.any() == whole


def test_how_many_masks_may_be_wrong():
    automatic = StartConfig()
    assert [wrong_masks(automatic, views) for views in (3, 16, 30, 49, 60)] == [0, 0, 1, 1, 2]
    assert [wrong_masks(StartConfig(wrong_masks=5), views) for views in (3, 6, 49)] == [2, 5, 5]


def test_no_more_masks_are_outvoted_than_the_hull_can(prepared_ball):
    views = torch.zeros(1000, dtype=torch.int64)
    silhouettes = prepared_ball.silhouettes
    many = type(silhouettes)(
        silhouettes.maps[: 48 * 36].repeat(1000),
        torch.arange(1000) * 48 * 36,
        *(part[views] for part in (silhouettes.sizes, silhouettes.projections, silhouettes.focal_lengths)),
    )
    hull = VisualHull(many, wrong_masks(StartConfig(), 1000))
    assert hull(torch.zeros((1, 3))) < -0.5
