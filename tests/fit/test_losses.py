"""Every loss term against a value worked out by hand."""

import math

import pytest
import torch

from isopts.fit import losses

X = torch.tensor([[1.0, 0.0, 0.0]])


def test_surface_loss_is_a_weighted_mean_of_absolute_values():
    values = torch.tensor([0.1, -0.3])
    assert float(losses.surface_loss(values)) == pytest.approx(0.2)
    assert float(losses.surface_loss(values, torch.tensor([1.0, 0.0]))) == pytest.approx(0.05)


def test_huber_is_a_parabola_inside_and_a_line_outside():
    noise = 0.01
    assert float(losses.noisy_surface_loss(torch.tensor([-0.01]), noise, 2.0)) == pytest.approx(0.5)  # t^2 / 2
    assert float(losses.noisy_surface_loss(torch.tensor([0.1]), noise, 2.0)) == pytest.approx(18.0)  # 2 t - 2
    weights = torch.tensor([1.0, 0.0])
    assert float(losses.noisy_surface_loss(torch.tensor([0.01, 0.1]), noise, 2.0, weights)) == pytest.approx(0.25)


def test_normal_loss_sees_direction_but_not_length():
    turned = torch.tensor([[math.cos(1.0), math.sin(1.0), 0.0]]) * 7
    assert float(losses.normal_loss(turned, X)) == pytest.approx(1 - math.cos(1.0), abs=1e-6)
    assert float(losses.normal_loss(-turned, X)) == pytest.approx(1 + math.cos(1.0), abs=1e-6)
    assert float(losses.normal_loss(-turned, X, oriented=False)) == pytest.approx(1 - math.cos(1.0), abs=1e-6)


def test_opposing_normal_loss_only_acts_against_the_normal():
    assert float(losses.opposing_normal_loss(X, X)) == 0.0
    assert float(losses.opposing_normal_loss(-3 * X, X)) == pytest.approx(1.0)


def test_eikonal_loss_is_zero_for_unit_gradients():
    assert float(losses.eikonal_loss(X)) == 0.0
    assert float(losses.eikonal_loss(3 * X)) == pytest.approx(4.0)


def test_off_surface_loss():
    assert float(losses.off_surface_loss(torch.tensor([-0.01]), 100.0)) == pytest.approx(math.exp(-1))


def test_sign_loss_is_one_sided():
    distances, confidences = torch.tensor([0.5, 0.5, 0.5]), torch.ones(3)
    signs = torch.tensor([1.0, 1.0, -1.0])
    values = torch.tensor([0.6, 0.1, 0.1])  # far enough, too near, on the wrong side
    expected = (0 + (0.4 - 0.1) + (0.4 + 0.1)) / 3
    assert float(losses.sign_loss(values, distances, signs, confidences)) == pytest.approx(expected)
    assert float(losses.sign_loss(values, distances, signs, 0 * confidences)) == 0.0


def test_unsigned_distance_loss():
    assert float(losses.unsigned_distance_loss(torch.tensor([-0.2]), torch.tensor([0.3]))) == pytest.approx(0.1)


def test_gradients_of_a_vanishing_gradient_are_finite():
    gradients = torch.zeros(2, 3, requires_grad=True)
    losses.normal_loss(gradients, X.expand(2, 3)).backward()
    assert torch.isfinite(gradients.grad).all()
