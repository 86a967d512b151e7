"""The largest object that a set of silhouettes allows."""

from dataclasses import dataclass

import torch

from isopts.kernels.visual_hull import HullDistances, Silhouettes, visual_hull

_SEEN_SHARE = 1 / 3  # of the views; where fewer have a point in their image, floating pieces are left


@dataclass(frozen=True)
class VisualHull:
    """Soft visual hull: (N, 3) -> (N,), a distance to first order, negative inside. A field that iso-points, meshes and
    fits can start from.

    silhouettes: in the frame of the points. tolerated: how many views may have a wrong mask. unseen: value where too
    few views have the point in their image, in the frame's unit.
    """

    silhouettes: Silhouettes
    tolerated: int = 0
    unseen: float = 1.0

    def __call__(self, points: torch.Tensor) -> torch.Tensor:
        return self.distances(points).distances

    def distances(self, points: torch.Tensor) -> HullDistances:
        """Also how many views see each point and which one has the last word."""
        views_min = max(1, round(_SEEN_SHARE * len(self.silhouettes.first)))
        return visual_hull(points, self.silhouettes, self.tolerated + 1, views_min, self.unseen)

    def value_and_gradient(self, points: torch.Tensor, step: float = 5e-3) -> tuple[torch.Tensor, torch.Tensor]:
        """Values (N,) and gradients (N, 3) by central differences over `step`, some pixels in the points' unit."""
        offsets = step * torch.eye(3, device=points.device)
        ahead, behind = (torch.stack([self(points + sign * offset) for offset in offsets], dim=1) for sign in (1, -1))
        return self(points), (ahead - behind) / (2 * step)
