"""Patches that look the wrong way are found by the winding number of the whole."""

import pytest
import torch
from torch.nn import functional

from isopts.geometry.patch_signs import Links, dipoles, patch_signs
from isopts.geometry.side_links import unweighted
from isopts.geometry.spanning_forest import spanning_forest
from isopts.kernels.neighbors import nearest_neighbors


def on_sphere(count: int, radius: float = 1.0, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    normals = functional.normalize(torch.randn((count, 3), generator=generator), dim=1)
    return radius * normals, normals


def graph(points: torch.Tensor, normals: torch.Tensor) -> Links:
    """Eight neighbours of each point, which count alike, and the forest of the links that agree best."""
    neighbors = nearest_neighbors(points, points, 9).indices[:, 1:]
    links = unweighted(points, normals, neighbors)
    forest = spanning_forest(1.001 - links.agreements.abs().clamp_max(1), neighbors)
    return Links(links, forest, (normals * normals[forest.parents]).sum(dim=1).abs())


def found_signs(points: torch.Tensor, normals: torch.Tensor) -> tuple[torch.Tensor, float]:
    return patch_signs(dipoles(points, normals, places(points)), graph(points, normals))


def places(points: torch.Tensor, count: int = 1000) -> torch.Tensor:
    """(Q, 1) random points, one a place."""
    return torch.randperm(len(points), generator=torch.Generator().manual_seed(0))[:count, None]


def cube(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Surface of [-1, 1]^3."""
    generator = torch.Generator().manual_seed(1)
    points = 2 * torch.rand((count, 3), generator=generator) - 1
    axis = torch.randint(0, 3, (count,), generator=generator)
    rows = torch.arange(count)
    points[rows, axis] = points[rows, axis].sign()
    normals = torch.zeros_like(points)
    normals[rows, axis] = points[rows, axis]
    return points, normals


def test_winding_number_on_a_closed_surface_is_one_half() -> None:
    points, normals = on_sphere(4000)
    fixed = dipoles(points, normals, places(points))
    assert fixed.contributions.shape == (4000, 1000)
    assert float(fixed.shares.sum()) == pytest.approx(1)
    assert float(fixed.contributions.sum(dim=0).mean()) == pytest.approx(0.5, abs=0.03)


def test_contributions_by_hand() -> None:
    points = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 2.0], [0.0, 3.0, 0.0]])
    normals = torch.tensor([[0.0, 0.0, -1.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    contributions, shares = dipoles(points, normals, torch.tensor([[1, 1], [0, 0], [0, 2]]))
    areas = torch.tensor([9.0, 13.0, 13.0]) / 2 / 4  # pi r^2 / 2 of the second neighbour, over 4 pi
    assert contributions.shape == (3, 3)
    torch.testing.assert_close(shares, torch.tensor([13.0, 9.0, 9.0]) / 31)
    softened = 13 * torch.pi / 2
    expected = torch.tensor([0.0, 2 * areas[1] / softened**1.5, 3 * areas[2] / softened**1.5])
    torch.testing.assert_close(contributions[:, 1], expected)
    at_second_point = dipoles(points, normals, torch.tensor([[2]])).contributions[:, 0]
    torch.testing.assert_close(contributions[:, 2], (expected + at_second_point) / 2)


def test_outward_normals_stay() -> None:
    signs, energy = found_signs(*on_sphere(3000))
    assert (signs == 1).all()
    assert energy < -0.9  # neighbours agree, w is 1/2


def test_an_inside_out_sphere_is_turned() -> None:
    points, normals = on_sphere(3000)
    signs, energy = found_signs(points, -normals)
    assert (signs == -1).all()
    assert energy == pytest.approx(found_signs(points, normals)[1], abs=0.02)


def test_one_face_of_a_cube_is_turned() -> None:
    points, normals = cube(6000)
    wrong = normals[:, 0] == 1
    signs, energy = found_signs(points, torch.where(wrong[:, None], -normals, normals))
    assert (signs[wrong] == -1).float().mean() > 0.99
    assert (signs[~wrong] == 1).float().mean() > 0.99
    assert energy < found_signs(points, normals)[1] + 0.02


def test_the_wall_of_a_cavity_looks_into_it() -> None:
    outer, directions = on_sphere(4000, 1.0)
    inner, inner_directions = on_sphere(1500, 0.6, seed=1)
    points = torch.cat([outer, inner])
    signs, _ = found_signs(points, torch.cat([directions, inner_directions]))
    assert (signs[:4000] == 1).all()
    assert (signs[4000:] == -1).all()


def test_two_objects_are_judged_apart() -> None:
    first, normals = on_sphere(2000)
    points = torch.cat([first, first + torch.tensor([5.0, 0.0, 0.0])])
    signs, _ = found_signs(points, torch.cat([normals, -normals]))
    assert (signs[:2000] == 1).all()
    assert (signs[2000:] == -1).all()


def test_scale_does_not_matter() -> None:
    points, normals = cube(3000)
    wrong = (normals[:, 1] == 1)[:, None]
    turned = torch.where(wrong, -normals, normals)
    small, large = found_signs(points, turned), found_signs(1000 * points, turned)
    assert torch.equal(small[0], large[0])
    assert small[1] == pytest.approx(large[1], abs=1e-3)
