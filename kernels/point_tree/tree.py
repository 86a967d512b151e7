"""A balanced tree of bounding boxes over blocks of points along a Hilbert curve."""

from typing import NamedTuple

import torch

from isopts.kernels.launch import launch
from isopts.kernels.point_tree.curve import curve_order
from isopts.kernels.point_tree.kernel import BLOCK_BOXES, GROUP_BOXES

BLOCK = 16  # points in a leaf
FAN_OUT = 4  # boxes in a box


class PointTree(NamedTuple):
    """Points in curve order and the boxes around them, level by level.

    Level 0 has a box for every BLOCK consecutive points, every further level one for every FAN_OUT consecutive boxes
    of the level below, the last level a single box. There is no empty box: the last of a level may be short.
    """

    points: torch.Tensor  # (N, 3) in curve order
    indices: torch.Tensor  # (N,) int32, place of each in the given cloud
    low: torch.Tensor  # (B, 3)
    high: torch.Tensor  # (B, 3)
    least_index: torch.Tensor  # (B,) int32, least of `indices` in the box
    first_child: (
        torch.Tensor
    )  # (B + 1,) int32: box b holds the boxes first_child[b] ... first_child[b + 1] - 1; levels > 0


def build_point_tree(points: torch.Tensor, block: int = BLOCK, fan_out: int = FAN_OUT) -> PointTree:
    """Tree over at least one point (N, 3), float32 or float64, finite."""
    order = curve_order(points, run_length=block)
    ordered, indices = points[order].contiguous(), order.to(torch.int32)
    sizes = _level_sizes(len(points), block, fan_out)
    firsts = [sum(sizes[:level]) for level in range(len(sizes) + 1)]
    low, high = (points.new_empty((firsts[-1], 3)) for _ in range(2))
    least_index = indices.new_empty(firsts[-1])
    boxes = [low, high, least_index]
    width = points.element_size()
    launch(BLOCK_BOXES[width], sizes[0], [ordered, indices, block, *boxes], points.device)
    for level in range(1, len(sizes)):
        limits = [firsts[level - 1], firsts[level], fan_out]
        launch(GROUP_BOXES[width], sizes[level], [*limits, *boxes], points.device)
    return PointTree(ordered, indices, *boxes, _first_children(firsts, fan_out, points.device))


def _first_children(firsts: list[int], fan_out: int, device: torch.device) -> torch.Tensor:
    """Levels are stored one after the other, so the children of a box end where those of the next box begin."""
    children = [torch.zeros(firsts[1], dtype=torch.int32)]
    for below, first, end in zip(firsts, firsts[1:], firsts[2:], strict=False):
        children.append(below + fan_out * torch.arange(end - first, dtype=torch.int32))
    children.append(torch.tensor(firsts[-2:-1], dtype=torch.int32))
    return torch.cat(children).to(device)


def _level_sizes(count: int, block: int, fan_out: int) -> list[int]:
    sizes = [-(-count // block)]
    while sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // fan_out))
    return sizes
