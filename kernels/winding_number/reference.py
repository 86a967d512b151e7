"""The definition: the sum of every point's dipole (Barill et al., Fast Winding Numbers for Soups and Clouds, 2018)."""

import math

import torch


def winding_number_reference(
    queries: torch.Tensor, points: torch.Tensor, area_normals: torch.Tensor, softening: float
) -> torch.Tensor:
    """w(q) = sum_i <p_i - q, a_i n_i> / (4 pi r_i^3), r_i = max(|p_i - q|, softening). See op.py."""
    offsets = points[None] - queries[:, None]  # (Q, N, 3)
    distances = offsets.norm(dim=2).clamp_min(softening)
    return ((offsets * area_normals).sum(dim=2) / distances**3).sum(dim=1) / (4 * math.pi)
