"""Views compare a surfel where they see what is around it, as far as its patch reaches."""

import pytest
import torch

from isopts.fit.photo.surroundings import seen_surroundings

SPACING, RADIUS = 0.02, 0.2667


@pytest.fixture
def plane() -> torch.Tensor:
    """(N, 3) a square of side 2, around the origin, in the plane z = 0."""
    axis = torch.arange(-1, 1 + SPACING / 2, SPACING)
    return torch.cartesian_prod(axis, axis, torch.zeros(1))


@pytest.fixture
def visible(plane) -> torch.Tensor:
    """(N, 3): the first view sees all, the second only the right half, the third nothing."""
    return torch.stack([torch.ones(len(plane)), plane[:, 0] >= 0, torch.zeros(len(plane))], dim=1).bool()


def seen(plane, visible, radius=RADIUS, share=0.75) -> torch.Tensor:
    return seen_surroundings(plane, visible, radius, share, torch.Generator().manual_seed(0))


def test_who_sees_all_around_compares_and_who_sees_up_to_a_rim_keeps_away_from_it(plane, visible):
    found = seen(plane, visible)
    assert found[:, 0].all()
    assert not found[:, 2].any()
    inside, rim = plane[:, 0] > RADIUS, plane[:, 0].abs() < 0.02 * RADIUS
    assert found[inside, 1].all()
    assert found[rim, 1].float().mean() < 0.1  # half of their patches is seen: sixteen draws have three quarters rarely
    assert not found[plane[:, 0] < 0, 1].any()


def test_the_share_says_how_much_is_enough(plane, visible):
    counts = [int(seen(plane, visible, share=share)[:, 1].sum()) for share in (0, 0.4, 0.75, 1)]
    assert counts[0] == int(visible[:, 1].sum()) > counts[2] >= counts[3]
    assert counts == sorted(counts, reverse=True)
    assert torch.equal(seen(plane, visible, share=0), visible)


def test_patches_that_iso_points_do_not_resolve_are_seen_with_their_middle(plane, visible):
    assert torch.equal(seen(plane, visible, radius=0.9 * SPACING), visible)


@pytest.mark.parametrize("count", [0, 1, 2, 5])
def test_few_surfels(count):
    points, visible = torch.rand(count, 3, generator=torch.Generator().manual_seed(1)), torch.ones(count, 2).bool()
    assert torch.equal(seen(points, visible, radius=10.0), visible)
