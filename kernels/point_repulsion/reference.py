"""The definition of the repulsion (Iso-Points, uniform resampling; METHOD section 1)."""

import torch


def repulsion_reference(
    points: torch.Tensor,
    normals: torch.Tensor,
    neighbors: torch.Tensor,
    inverse_squared_length: float,
    smallest_cosine: float,
    own_plane: bool,
) -> torch.Tensor:
    """Displacements (N, 3): rho_i sum_j w_ij d_ij / sum_j w_ij. See op.py."""
    others = neighbors.clamp_min(0)
    differences = points[:, None] - points[others]
    facing = (normals[:, None] * normals[others]).sum(dim=2) >= smallest_cosine
    weights = torch.exp(-differences.square().sum(dim=2) * inverse_squared_length) * facing * (neighbors >= 0)
    plane = normals[:, None] if own_plane else normals[others]
    along_normal = (differences * plane).sum(dim=2, keepdim=True) * plane
    total = weights.sum(dim=1, keepdim=True)
    pushed = (weights[:, :, None] * (differences - along_normal)).sum(dim=1)
    return torch.where(total > 0, (1 + total) * pushed / total.clamp_min(torch.finfo(total.dtype).tiny), 0.0)
