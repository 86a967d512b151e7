"""Loss terms of posed images: closed-form values, and gradients that pull where they should."""

import math

import pytest
import torch
from torch.nn import functional

from isopts.fit.views.view_losses import (
    bending_loss,
    color_loss,
    counted_sources,
    limit_gradient,
    mask_loss,
    photo_loss,
    side_loss,
)
from isopts.kernels.patch_consistency import INVALID


def tensor(*values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def test_color_loss_is_the_mean_error_of_what_counts():
    colors = torch.tensor([[0.2, 0.5, 0.9], [0.0, 0.0, 0.0]], requires_grad=True)
    expected = torch.tensor([[0.5, 0.5, 0.3], [1.0, 1.0, 1.0]])
    loss = color_loss(colors, expected, torch.tensor([1.0, 0.0]))
    assert loss.item() == pytest.approx((0.3 + 0.6) / 3 / 2)
    loss.backward()
    torch.testing.assert_close(colors.grad, torch.tensor([[-1.0, 0, 1], [0, 0, 0]]) / 6)
    assert color_loss(colors, expected, torch.ones(2)).item() == pytest.approx((0.3 + 1.0) / 2)


def test_photo_loss_is_the_mean_over_the_best_sources_of_each_surfel():
    scores = torch.tensor([[0.9, 0.5, 0.7, 0.1], [0.2, INVALID, INVALID, INVALID]], requires_grad=True)
    loss = photo_loss(scores, floor=0.0, best=2, tolerance=1e6)  # the logarithm is straight
    assert loss.item() == pytest.approx(((0.1 + 0.3) / 2 + 0.8) / 2, rel=1e-3)
    loss.backward()
    torch.testing.assert_close(scores.grad, -torch.tensor([[0.25, 0, 0.25, 0], [0.5, 0, 0, 0]]))


def test_patches_that_agree_well_pull_most():
    scores = torch.tensor([[1.0], [0.9], [0.5], [1.0 + 1e-6]], dtype=torch.float64, requires_grad=True)
    loss = photo_loss(scores, floor=0.0, best=1, tolerance=0.1)
    assert loss.item() == pytest.approx(0.1 * (math.log(2) + math.log(6)) / 4)
    loss.backward()
    torch.testing.assert_close(scores.grad[:3], -torch.tensor([[1.0], [1 / 2], [1 / 6]]).double() / 4)
    assert scores.grad[3] == 0


def test_sources_below_the_floor_and_invalid_ones_pull_nowhere():
    scores = torch.tensor([[0.3, 0.29, -0.8], [INVALID, INVALID, INVALID]], requires_grad=True)
    loss = photo_loss(scores, floor=0.295, best=3, tolerance=0.7)
    assert loss.item() == pytest.approx(0.7 * math.log(2) / 2)
    loss.backward()
    torch.testing.assert_close(scores.grad, torch.tensor([[-0.25, 0, 0], [0, 0, 0]]))
    none = photo_loss(scores, floor=0.9, best=3, tolerance=0.7)
    assert none.item() == 0
    assert counted_sources(scores.detach(), INVALID - 1, 3).tolist() == [[1, 1, 1], [0, 0, 0]]


def test_more_sources_may_count_than_there_are():
    loss = photo_loss(torch.tensor([[0.5, 0.7]]), floor=0.0, best=5, tolerance=1.0)
    assert loss.item() == pytest.approx((math.log(1.5) + math.log(1.3)) / 2)


def test_side_loss_is_the_length_on_the_wrong_side():
    outside, inside = tensor(0.3, -0.2), tensor(-0.4, 0.1, 0.2)
    loss = side_loss(outside, inside)
    assert loss.item() == pytest.approx(0.2 / 2 + 0.3 / 3)
    loss.backward()
    assert outside.grad.tolist() == [0, -0.5]
    assert inside.grad.tolist() == pytest.approx([0, 1 / 3, 1 / 3])
    empty = torch.zeros(0, dtype=torch.float64)
    assert side_loss(empty, inside).item() == pytest.approx(0.1)
    assert side_loss(empty, empty).item() == 0


@pytest.mark.parametrize("sharpness", [5.0, 50.0, 100.0])
def test_mask_loss_is_the_cross_entropy_of_the_occupancy(sharpness):
    outside, inside = tensor(0.3, -0.02, 0.001), tensor(-0.4, 0.01)
    values, masks = torch.cat((outside, inside)), torch.tensor([0.0, 0, 0, 1, 1]).double()
    expected = functional.binary_cross_entropy_with_logits(-sharpness * values, masks) / sharpness
    loss = mask_loss(outside, inside, sharpness)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    found, wanted = (torch.autograd.grad(each, (outside, inside), retain_graph=True) for each in (loss, expected))
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_bending_loss_is_the_squared_chord_between_normals():
    angle = torch.tensor(0.1)
    first = torch.tensor([[1.0, 0, 0], [0, 0, 1]])
    second = torch.stack([torch.tensor([angle.cos(), angle.sin(), 0]), torch.tensor([0.0, 0, 1])])
    assert bending_loss(first, second).item() == pytest.approx((2 * torch.sin(angle / 2)).item() ** 2 / 2, rel=1e-5)
    assert bending_loss(first, -first).item() == 4


def test_a_limited_gradient_keeps_its_direction():
    points = torch.zeros((3, 3), requires_grad=True)
    limited = limit_gradient(points, 0.5)
    assert torch.equal(limited, points)
    pull = torch.tensor([[3.0, 0, 4], [0.1, -0.2, 0], [0, 0, 0]])
    (limited * pull).sum().backward()
    torch.testing.assert_close(points.grad, torch.tensor([[0.3, 0, 0.4], [0.1, -0.2, 0], [0, 0, 0]]))


def test_without_gradient_there_is_nothing_to_limit():
    points = torch.ones((2, 3))
    assert limit_gradient(points, 0.1) is points
