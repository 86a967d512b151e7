"""Whether neighbouring tangent planes are of the same side of a surface."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch.nn import functional

from isopts.kernels.neighbors import nearest_neighbors

_CANDIDATES = 2.5  # neighbours looked at per link that is kept
_OFFSET = 0.3  # sine of the angle under which one plane leaves another, at which a link counts 1/e
_ASIDE = 10.0  # how much farther a neighbour counts that is off the plane


class SideLinks(NamedTuple):
    """neighbors: (N, K) int64, all present. agreements: (N, K) in [-1, 1], positive where both normals, as they are,
    are of the same side. weights: (N, K) in [0, 1], how far that can be told."""

    neighbors: torch.Tensor
    agreements: torch.Tensor
    weights: torch.Tensor

    @property
    def told(self) -> torch.Tensor:
        """(N, K) in [-1, 1]: agreements, as far as they can be told."""
        return self.weights * self.agreements

    def turned(self, signs: torch.Tensor) -> "SideLinks":
        """Those of the normals with these signs (N,)."""
        return self._replace(agreements=signs[:, None] * self.agreements * signs[self.neighbors])

    def satisfied(self, signs: torch.Tensor) -> float:
        """Share of what the links tell that normals with these signs (N,) follow, less what they contradict."""
        told = self.told
        return float(self.turned(signs).told.sum() / told.abs().sum().clamp_min(torch.finfo(told.dtype).tiny))


Relate = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], SideLinks]
"""Of points (N, 3) with unit normals (N, 3) and the others (N, K) that each is linked to."""


def mirrored(points: torch.Tensor, normals: torch.Tensor, others: torch.Tensor) -> SideLinks:
    """The agreement is the cosine between one normal and the other, mirrored at the plane between the points (Xie et
    al., 2003): on any arc the mirrored normal is the own one, over sharp edges too, and the two sides of a thin wall,
    or of a narrow gap, are told to face away from each other. A link counts less the more it leaves both planes to the
    same side, as no arc does: that is a wall crossed aslant, or a step."""
    agreements, offsets = _mirrored(points, normals, others)
    return SideLinks(others, agreements, torch.exp(-(offsets / _OFFSET).square()))


def plain(points: torch.Tensor, normals: torch.Tensor, others: torch.Tensor) -> SideLinks:
    """The agreement is the normals' cosine (Hoppe et al., 1992), and what leaves either plane by 45 degrees does not
    count. It is the better one where noise makes the places of neighbours meaningless."""
    own, other = slopes_of(points, normals, others)
    along = 1 - torch.maximum(own.abs(), other.abs()).square().clamp_max(1)
    return SideLinks(others, _cosines(normals, others), (2 * along - 1).clamp_min(0))


def unweighted(points: torch.Tensor, normals: torch.Tensor, others: torch.Tensor) -> SideLinks:
    """The agreement is the normals' cosine, wherever the points are."""
    agreements = _cosines(normals, others)
    return SideLinks(others, agreements, torch.ones_like(agreements))


def neighbors_along(points: torch.Tensor, normals: torch.Tensor, k: int) -> torch.Tensor:
    """(N, K) the k nearest, where those off the surface count as farther away: behind a thin wall, across a gap."""
    count = min(round(_CANDIDATES * k), len(points) - 1)
    near = nearest_neighbors(points, points, count + 1)
    others, squared = near.indices[:, 1:], near.squared_distances[:, 1:]
    offsets = _mirrored(points, normals, others)[1]
    return others.gather(1, (squared * (1 + _ASIDE * offsets.square())).argsort(dim=1)[:, :k])


def _cosines(normals: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """(N, K) between the normals of each point and of its others."""
    return torch.einsum("nkd,nd->nk", normals[others], normals)


def _mirrored(points: torch.Tensor, normals: torch.Tensor, others: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines (N, K) of normals and mirrored normals, and sines (N, K) of leaving both planes to the same side."""
    own, other = slopes_of(points, normals, others)
    agreements = _cosines(normals, others) - 2 * own * other
    return agreements, (own + torch.where(agreements < 0, -other, other)).abs() / 2


def slopes_of(points: torch.Tensor, normals: torch.Tensor, others: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines (N, K) of the links' directions with the own normal and with the others'."""
    directions = functional.normalize(points[others] - points[:, None], dim=2)
    return torch.einsum("nkd,nd->nk", directions, normals), (directions * normals[others]).sum(dim=2)
