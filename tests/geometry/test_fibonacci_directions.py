import torch

from isopts.geometry.fibonacci_directions import fibonacci_directions


def test_directions_are_unit_and_average_to_nothing():
    directions = fibonacci_directions(500)
    torch.testing.assert_close(directions.norm(dim=1), torch.ones(500))
    assert directions.mean(dim=0).norm() < 1e-3
    torch.testing.assert_close(directions.T @ directions / 500, torch.eye(3) / 3, atol=2e-3, rtol=0)


def test_the_first_half_is_the_upper_half():
    height = fibonacci_directions(40)[:, 2]
    assert (height[:20] > 0).all()
    assert (height[20:] < 0).all()
