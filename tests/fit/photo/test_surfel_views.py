"""Views of surfels on a table, from cameras on a circle above it."""

import math

import torch

from isopts.fit.photo.surfel_views import choose_surfel_views
from isopts.kernels.view_choice import ViewChoiceLimits


def centers(*degrees):
    """(V, 3) far away in a vertical plane, at angles from the vertical."""
    angles = [math.radians(each) for each in degrees]
    return torch.tensor([[100 * math.sin(angle), 0.0, 100 * math.cos(angle)] for angle in angles])


def chosen(*degrees, seen=None):
    cameras = centers(*degrees)
    cosines = cameras[None, :, 2] / 100
    if seen is not None:
        cosines = cosines * torch.tensor(seen)
    points, noise = torch.zeros(len(cosines), 3), torch.zeros(cosines.shape)
    return choose_surfel_views(points, cosines.contiguous(), cameras, noise, ViewChoiceLimits())


def test_views_that_see_a_surfel_well_are_preferred():
    found = chosen(0, 10, 20, 45, 75)
    assert found.references.tolist() == [0]
    assert sorted(found.sources[0].tolist()) == [-1, -1, 1, 2]


def test_oblique_views_count_where_there_are_too_few_others():
    found = chosen(40, 50, 65, 75)
    assert found.references.tolist() == [0]
    assert sorted(found.sources[0].tolist()) == [-1, 1, 2, 3]


def test_each_surfel_has_its_own_choice():
    found = chosen(0, 10, 20, 65, 75, seen=[[1.0, 1, 1, 1, 1], [0, 0, 0, 1, 1], [0, 0, 0, 0, 1]])
    assert found.references.tolist() == [0, 3, -1]
    assert sorted(found.sources[1].tolist()) == [-1, -1, -1, 4]
    assert found.sources[2].tolist() == [-1] * 4
