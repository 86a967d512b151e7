"""What two neighbouring tangent planes tell about each other's side."""

import math

import pytest
import torch

from isopts.geometry.side_links import SideLinks, mirrored, neighbors_along, plain, unweighted
from isopts.kernels.neighbors import nearest_neighbors


def pair(first: list[float], second: list[float], offset: list[float]) -> tuple[torch.Tensor, torch.Tensor]:
    """Points at the origin and at `offset`, with these normals."""
    return torch.tensor([[0.0, 0.0, 0.0], offset]), torch.tensor([first, second])


def told(relate, points: torch.Tensor, normals: torch.Tensor) -> tuple[float, float]:
    links = relate(points, normals, torch.tensor([[1], [0]]))
    assert torch.equal(links.agreements[0], links.agreements[1])  # both are told the same
    assert torch.equal(links.weights[0], links.weights[1])
    return float(links.agreements[0]), float(links.weights[0])


@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 150.0])
def test_mirrored_normals_agree_on_every_arc(angle: float) -> None:
    angle = math.radians(angle)
    normals = torch.tensor([[0.0, 0.0, 1.0], [math.sin(angle), 0.0, math.cos(angle)]])
    points = normals if angle > 0 else torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    assert told(mirrored, points, normals) == pytest.approx((1.0, 1.0), abs=1e-5)
    assert told(plain, points, normals)[0] == pytest.approx(math.cos(angle), abs=1e-5)


def test_mirrored_normals_agree_over_a_sharp_edge_where_plain_ones_know_nothing() -> None:
    points, normals = pair([0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.5, 0.0, -0.5])
    assert told(mirrored, points, normals) == pytest.approx((1.0, 1.0))
    assert told(plain, points, normals) == pytest.approx((0.0, 0.0), abs=1e-6)


def test_both_sides_of_a_wall_face_away_from_each_other() -> None:
    across = pair([0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [0.0, 0.0, -0.1])
    assert told(mirrored, *across) == pytest.approx((1.0, 1.0))
    assert told(plain, *across)[1] == 0  # no weight


def test_a_wall_crossed_aslant_counts_little() -> None:
    """Or a step: what is between both points decides."""
    agreement, weight = told(mirrored, *pair([0.0, 0.0, 1.0], [0.0, 0.0, 1.0], [0.1, 0.0, 0.06]))
    assert agreement > 0
    assert weight < 0.1


def test_turning_a_normal_turns_what_is_told() -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.rand((50, 3), generator=generator)
    normals = torch.nn.functional.normalize(torch.randn((50, 3), generator=generator), dim=1)
    others = torch.randint(0, 50, (50, 4), generator=generator)
    signs = torch.where(torch.rand(50, generator=generator) < 0.5, -1.0, 1.0)
    for relate in (mirrored, plain, unweighted):
        links, turned = relate(points, normals, others), relate(points, signs[:, None] * normals, others)
        torch.testing.assert_close(turned.agreements, signs[:, None] * links.agreements * signs[others])
        torch.testing.assert_close(turned.weights, links.weights)


def test_neighbours_lie_along_the_sheet_and_not_on_the_one_behind() -> None:
    grid = torch.cartesian_prod(torch.arange(20.0), torch.arange(20.0), torch.tensor([0.0, 0.8]))
    normals = torch.tensor([[0.0, 0.0, 1.0]]).repeat(len(grid), 1)
    slanted = grid + torch.tensor([0.4, 0.3, 0.0]) * (grid[:, 2:] > 0)
    found, nearest = neighbors_along(slanted, normals, 8), nearest_neighbors(slanted, slanted, 9).indices[:, 1:]
    own, own_of_nearest = ((slanted[some][:, :, 2] == slanted[:, None, 2]).float().mean() for some in (found, nearest))
    assert found.shape == (800, 8)
    assert own > 0.7
    assert own_of_nearest < 0.55
    assert (found != torch.arange(800)[:, None]).all()


def test_neighbours_of_few_points_are_all_others() -> None:
    points = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    normals = torch.tensor([[0.0, 0.0, 1.0]]).repeat(3, 1)
    assert neighbors_along(points, normals, 10).sort(dim=1).values.tolist() == [[1, 2], [0, 2], [0, 1]]


def test_how_far_signs_satisfy_links() -> None:
    links = SideLinks(torch.tensor([[1], [0]]), torch.tensor([[-0.5], [-0.5]]), torch.tensor([[1.0], [0.5]]))
    assert links.satisfied(torch.tensor([1.0, -1.0])) == 1
    assert links.satisfied(torch.tensor([1.0, 1.0])) == -1
