"""Which texel of a picture shows which point of the mesh that it is wrapped around."""

from typing import NamedTuple

import torch

_REACH_TEXELS = 1.0  # beyond its border a face still has texels: interpolating between texels reads them
_AREA_MIN = 1e-9  # square texels; a smaller face shows nothing
_CANDIDATES_AT_ONCE = 1 << 21  # bounds the memory


class Texels(NamedTuple):
    """indices (T,) int64 into the picture's rows one after the other, ascending. faces (T,) int64. barycentric (T, 3)
    weights of the face's corners, 0 ... 1: of the texel's middle, or near it on the face's border."""

    indices: torch.Tensor
    faces: torch.Tensor
    barycentric: torch.Tensor


def rasterize(corners: torch.Tensor, size: int) -> Texels:
    """The texels of a square picture that the faces cover or come near to, each with the face that it is deepest in.

    Args:
        corners: (F, 3, 2) columns and rows of the faces' corners, float32; texels' middles are whole numbers.
        size: texels along a side.
    """
    low = (corners.amin(dim=1) - _REACH_TEXELS).ceil().clamp(0, size - 1).long()
    high = (corners.amax(dim=1) + _REACH_TEXELS).floor().clamp(0, size - 1).long()
    widths, heights = (high - low + 1).unbind(1)
    shown = torch.nonzero(_doubled_areas(corners).abs() > 2 * _AREA_MIN)[:, 0]
    lines = _lines(corners)
    found = [
        _candidates(lines, some, low, widths, heights, size)
        for some in _groups(shown, (widths * heights)[shown], _CANDIDATES_AT_ONCE)
    ]
    if not found:
        none = torch.zeros(0, dtype=torch.int64, device=corners.device)
        return Texels(none, none, corners.new_zeros((0, 3)))
    indices, faces, depths = (torch.cat(parts) for parts in zip(*found, strict=True))
    chosen = _deepest(indices, depths, size * size)
    indices, faces = indices[chosen], faces[chosen]
    weights = (_depths(lines[faces], indices, size) * _edges(corners).norm(dim=2)[faces]).clamp_min(0)
    return Texels(indices, faces, weights / weights.sum(dim=1, keepdim=True))


def _groups(faces: torch.Tensor, counts: torch.Tensor, count_max: int) -> list[torch.Tensor]:
    """`faces` (F,) in order, in parts with about `count_max` candidates each."""
    if len(faces) == 0:
        return []
    group = (torch.cumsum(counts, 0) - counts) // count_max
    return list(faces.split(torch.unique_consecutive(group, return_counts=True)[1].tolist()))


def _candidates(
    lines: torch.Tensor,
    faces: torch.Tensor,
    low: torch.Tensor,
    widths: torch.Tensor,
    heights: torch.Tensor,
    size: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Texels, faces and depths of all pairs that are near enough."""
    counts = (widths * heights)[faces]
    owner = faces.repeat_interleave(counts)
    number = torch.arange(len(owner), device=owner.device) - (torch.cumsum(counts, 0) - counts).repeat_interleave(
        counts
    )
    width = widths[owner]
    indices = (low[owner, 1] + number // width) * size + low[owner, 0] + number % width
    depths = _depths(lines[owner], indices, size).amin(dim=1)
    near = depths >= -_REACH_TEXELS
    return indices[near], owner[near], depths[near]


def _lines(corners: torch.Tensor) -> torch.Tensor:
    """(F, 3, 3): a, b, c for the edge opposite to each corner: a x + b y + c texels is (x, y) inside of it."""
    edges = _edges(corners)
    side = _doubled_areas(corners).sign()[:, None, None]
    slopes = side * torch.stack([-edges[..., 1], edges[..., 0]], dim=2)
    slopes = slopes / edges.norm(dim=2, keepdim=True).clamp_min(1e-12)
    offsets = -(slopes * corners[:, [1, 2, 0]]).sum(dim=2, keepdim=True)
    return torch.cat([slopes, offsets], dim=2)


def _depths(lines: torch.Tensor, indices: torch.Tensor, size: int) -> torch.Tensor:
    """(T, 3): how far inside three lines (T, 3, 3) the middle of a texel (T,) is, in texels."""
    x, y = (part[:, None].to(lines.dtype) for part in (indices % size, indices // size))
    return lines[..., 0] * x + lines[..., 1] * y + lines[..., 2]


def _edges(corners: torch.Tensor) -> torch.Tensor:
    """(F, 3, 2): from the next corner to the one after it."""
    return corners[:, [2, 0, 1]] - corners[:, [1, 2, 0]]


def _doubled_areas(corners: torch.Tensor) -> torch.Tensor:
    """(F,) negative where the corners go the other way round."""
    a, b = (corners[:, 1] - corners[:, 0]).unbind(1), (corners[:, 2] - corners[:, 0]).unbind(1)
    return a[0] * b[1] - a[1] * b[0]


def _deepest(indices: torch.Tensor, depths: torch.Tensor, texels: int) -> torch.Tensor:
    """Of each texel that is there, the candidate with the greatest depth, the first of equals; by texel."""
    best = torch.full((texels,), -torch.inf, device=depths.device).scatter_reduce_(0, indices, depths, "amax")
    equal = torch.nonzero(depths == best[indices])[:, 0]
    first = torch.full((texels,), len(indices), device=depths.device)
    first.scatter_reduce_(0, indices[equal], equal, "amin")
    return first[first < len(indices)]
