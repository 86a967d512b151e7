"""Checks and dispatch of the repulsion."""

import torch

from isopts.errors import InputError
from isopts.kernels.backends import note_backend
from isopts.kernels.launch import launch
from isopts.kernels.point_repulsion.kernel import REPEL
from isopts.kernels.point_repulsion.reference import repulsion_reference


def repulsion(
    points: torch.Tensor,
    normals: torch.Tensor,
    neighbors: torch.Tensor,
    inverse_squared_length: float,
    smallest_cosine: float = -1.1,
    own_plane: bool = False,
    backend: str = "auto",
) -> torch.Tensor:
    """Displacement (N, 3) that drives every point away from its neighbours, in the tangent plane.

    rho_i sum_j w_ij d_ij / sum_j w_ij with w_ij = exp(-|p_i - p_j|^2 inverse_squared_length), rho_i = 1 + sum_j w_ij
    and d_ij = p_i - p_j without its part along n_j. Zero where a point has no neighbour. Not differentiable.

    Args:
        points, normals: (N, 3) float32 or float64; normals are unit.
        neighbors: (N, K) int64 indices without the point itself, -1 where absent.
        inverse_squared_length: one over a squared length of the points' frame.
        smallest_cosine: a neighbour whose normal is turned further away is left out (the other side of a thin wall);
            below -1 every neighbour counts.
        own_plane: take the part along n_i away instead. Along a sharp edge the published form pushes the points of
            either face over the edge, where they pile up; their own planes keep them apart.
        backend: "auto" (Warp) or "reference".
    """
    if points.shape != normals.shape or neighbors.shape[:1] != points.shape[:1] or points.shape[1:] != (3,):
        raise InputError(
            f"points {tuple(points.shape)}, normals {tuple(normals.shape)}, neighbors {tuple(neighbors.shape)}; "
            "expected (N, 3), (N, 3) and (N, K)"
        )
    points, normals = points.detach().contiguous(), normals.detach().contiguous()
    if backend == "reference":
        note_backend("point_repulsion", "reference")
        return repulsion_reference(points, normals, neighbors, inverse_squared_length, smallest_cosine, own_plane)
    displacements = torch.empty_like(points)
    arguments = [points, normals, neighbors.contiguous(), inverse_squared_length, smallest_cosine, int(own_plane)]
    launch(REPEL[points.element_size()], len(points), [*arguments, displacements], points.device)
    return displacements
