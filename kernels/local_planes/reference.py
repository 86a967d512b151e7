"""The definition: principal component analysis of each row of neighbours."""

import torch

from isopts.kernels.local_planes.result import LocalPlanes


def local_planes_reference(points: torch.Tensor, neighbors: torch.Tensor) -> LocalPlanes:
    """Planes through `points` (P, 3) at the rows of `neighbors` (N, K), -1 where absent. See op.py."""
    present = neighbors >= 0
    count = present.sum(dim=1).clamp_min(1)[:, None]
    patches = points.double()[neighbors.clamp_min(0)] * present[:, :, None]
    centers = patches.sum(dim=1) / count
    offsets = (patches - centers[:, None]) * present[:, :, None]
    variances, vectors = torch.linalg.eigh(offsets.transpose(1, 2) @ offsets / count[:, :, None])
    planes = centers, vectors[:, :, 0], variances.clamp_min(0)
    return LocalPlanes(*(part.to(points.dtype).contiguous() for part in planes))
