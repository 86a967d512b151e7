"""The order along the curve and the tree of boxes."""

import pytest
import torch

from isopts.kernels.point_tree import BLOCK, FAN_OUT, build_point_tree, curve_order


def test_order_is_a_permutation(hard_cloud: torch.Tensor) -> None:
    assert torch.equal(curve_order(hard_cloud, BLOCK).sort().values.cpu(), torch.arange(len(hard_cloud)))


def test_neighbours_along_the_curve_are_neighbours_in_space(device: torch.device) -> None:
    axis = torch.arange(16.0, device=device)
    points = torch.cartesian_prod(axis, axis, axis)
    points = points[torch.randperm(len(points), generator=torch.Generator().manual_seed(0)).to(device)]
    steps = points[curve_order(points, BLOCK)].diff(dim=0).abs().sum(dim=1)
    assert (steps == 1).float().mean() > 0.99  # a Hilbert curve goes from cell to adjacent cell


@pytest.mark.parametrize("scale", [1.0, 1e-7, 1e-14])
def test_a_small_cluster_is_ordered_as_well_as_a_large_one(scale: float, device: torch.device) -> None:
    generator = torch.Generator().manual_seed(0)
    cluster = (torch.rand(4096, 3, generator=generator) * scale).to(device)
    points = torch.cat([cluster, torch.full((1, 3), -1.0, device=device), torch.full((1, 3), 1.0, device=device)])
    order = curve_order(points, BLOCK)
    inside = points[order[order < 4096]] / scale
    sides = inside.reshape(-1, 16, 3).amax(dim=1) - inside.reshape(-1, 16, 3).amin(dim=1)
    assert sides.mean() < 0.25  # 16 of 4096 points fill a cube of side 0.16; without order it would be 0.9


def test_equal_points_keep_their_order(device: torch.device) -> None:
    points = torch.tensor([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]], device=device).repeat(100, 1)
    order = curve_order(points, BLOCK).reshape(2, 100)
    assert (order.diff(dim=1) == 2).all()


def test_boxes_hold_what_they_should(hard_cloud: torch.Tensor) -> None:
    tree = build_point_tree(hard_cloud)
    assert torch.equal(tree.points, hard_cloud[tree.indices.long()])
    blocks = -(-len(hard_cloud) // BLOCK)
    for block in range(blocks):
        part = slice(block * BLOCK, (block + 1) * BLOCK)
        assert torch.equal(tree.low[block], tree.points[part].amin(dim=0))
        assert torch.equal(tree.high[block], tree.points[part].amax(dim=0))
        assert tree.least_index[block] == tree.indices[part].min()
    children = []
    for box in range(blocks, len(tree.low)):
        part = slice(int(tree.first_child[box]), int(tree.first_child[box + 1]))
        children += range(part.start, part.stop)
        assert 1 <= part.stop - part.start <= FAN_OUT
        assert torch.equal(tree.low[box], tree.low[part].amin(dim=0))
        assert torch.equal(tree.high[box], tree.high[part].amax(dim=0))
        assert tree.least_index[box] == tree.least_index[part].min()
    assert children == list(range(len(tree.low) - 1))  # every box but the last has one parent
