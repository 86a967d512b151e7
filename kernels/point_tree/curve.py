"""The order of points along a Hilbert curve, refined wherever its cells are too coarse."""

import torch

from isopts.kernels.launch import launch
from isopts.kernels.point_tree.kernel import BITS, hilbert_codes

_LAST_CELL = (1 << int(BITS)) - 1


def curve_order(points: torch.Tensor, run_length: int) -> torch.Tensor:
    """Permutation (N,) int64 that puts near points (N, 3) near each other.

    More than `run_length` points in one cell of the curve are put in order by a curve through their own bounding
    box, and so on: a dense cluster in a wide, empty cloud is resolved like any other. Equal points keep the order
    of their indices.
    """
    if len(points) == 0:
        return torch.zeros(0, dtype=torch.int64, device=points.device)
    low, high = points.aminmax(dim=0)
    codes, order = torch.sort(_codes(points, low, (high - low).amax()), stable=True)
    _refine(points, order, codes, run_length)
    return order


def _codes(points: torch.Tensor, low: torch.Tensor, side: torch.Tensor) -> torch.Tensor:
    """Hilbert codes (M,) int64 in the cube at `low` (3,) or (M, 3) with the side `side` () or (M, 1)."""
    scale = torch.where(side > 0, _LAST_CELL / side, 0.0)
    cells = ((points - low) * scale).clamp_(0, _LAST_CELL).to(torch.int32)
    codes = torch.empty(len(points), dtype=torch.int64, device=points.device)
    launch(hilbert_codes, len(points), [cells, codes], points.device)
    return codes


def _refine(points: torch.Tensor, order: torch.Tensor, codes: torch.Tensor, run_length: int) -> None:
    """Sort the runs of equal codes that are longer than `run_length` by a finer curve each, in place."""
    if len(order) <= run_length or not bool((codes[run_length:] == codes[:-run_length]).any()):
        return
    positions = torch.arange(len(order), device=order.device)
    runs = codes
    while len(positions):
        counts = torch.unique_consecutive(runs, return_counts=True)[1]
        long = counts > run_length
        positions = positions[torch.repeat_interleave(long, counts)]
        counts = counts[long]
        run = torch.repeat_interleave(torch.arange(len(counts), device=order.device), counts)
        members = points[order[positions]]
        low, side = _run_boxes(members, run, len(counts))
        wide = side[run, 0] > 0  # equal points need no order
        positions, run, members = positions[wide], run[wide], members[wide]
        codes = _codes(members, low[run], side[run])
        by_code = torch.argsort(codes, stable=True)
        by_run = by_code[torch.argsort(run[by_code], stable=True)]
        order[positions] = order[positions[by_run]]
        runs = (run[by_run] << 1) + _alternating(codes[by_run])


def _run_boxes(points: torch.Tensor, run: torch.Tensor, runs: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Lower corner (R, 3) and longest side (R, 1) of the points of each run."""
    target = run[:, None].expand(-1, 3)
    low = points.new_full((runs, 3), torch.inf).scatter_reduce_(0, target, points, "amin")
    high = points.new_full((runs, 3), -torch.inf).scatter_reduce_(0, target, points, "amax")
    return low, (high - low).amax(dim=1, keepdim=True)


def _alternating(codes: torch.Tensor) -> torch.Tensor:
    """0 and 1 in turn, changing wherever consecutive codes differ: tells neighbouring runs apart in one bit."""
    return torch.cat([codes.new_zeros(1), (codes[1:] != codes[:-1]).cumsum(0)])[: len(codes)] & 1
