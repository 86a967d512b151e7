"""Sightings of surfels, from which cameras can be told: where reference and source views show the same patch."""

import torch

from isopts.fit.views.surfels import Surfels
from isopts.geometry.bundle_adjustment import Sightings
from isopts.kernels.patch_alignment import align_patches
from isopts.kernels.patch_consistency import PatchViews
from isopts.kernels.view_choice import ViewChoiceLimits, choose_views

_LIMITS = ViewChoiceLimits(sources=6)
_ALIKE = 0.85  # NCC of patches that show the same
_FLOOR_PIXELS = 0.15  # standard deviation of a sighting at the least: patches are not quite plane


def camera_tracks(
    surfels: Surfels,
    chosen: torch.Tensor,
    pyramid: list[PatchViews],
    coarsest: int,
    generator: torch.Generator,
) -> Sightings:
    """Of the surfels `chosen` (N,), in pixels of the finest images, on the CPU; surfels without a match have none.

    A patch is looked for in images of level `coarsest`, then in finer ones from where it was found. Neither the depth
    of a surfel nor the cameras need be right for that: only as near as a patch of the coarsest level reaches.
    """
    points, normals, cosines = (part[chosen] for part in (surfels.points, surfels.normals, surfels.cosines))
    noise = torch.rand(cosines.shape, generator=generator).to(points)
    finest = pyramid[0]
    references, sources = choose_views(points, cosines, finest.centers, noise, _LIMITS)
    shifts = points.new_zeros((*sources.shape, 2))
    for level in range(coarsest, -1, -1):
        found = align_patches(points, normals, references, sources, pyramid[level], shifts / 2**level)
        shifts = found.shifts * 2**level  # of a patch that was not found as before
    matched = found.scores > _ALIKE
    views = torch.cat([references[:, None], torch.where(matched, sources, -1)], dim=1).long()
    views[~matched.any(dim=1)] = -1
    shifts = torch.cat([torch.zeros_like(shifts[:, :1]), shifts], dim=1).double()
    pixels = _projections(points.double(), views, finest) + shifts
    spreads = torch.nn.functional.pad(found.covariances, (0, 0, 1, 0)).double()[..., [0, 1, 1, 2]]
    floor = _FLOOR_PIXELS**2 * torch.eye(2, dtype=torch.float64, device=points.device)
    covariances = spreads.unflatten(2, (2, 2)) + floor
    return Sightings(*(part.cpu() for part in (views, pixels, covariances)))


def _projections(points: torch.Tensor, views: torch.Tensor, images: PatchViews) -> torch.Tensor:
    """Pixels (N, K, 2) of points (N, 3) in `views` (N, K)."""
    matrices = images.projections.double()[views.clamp_min(0)]
    homogeneous = torch.einsum("nkij,nj->nki", matrices[..., :3], points) + matrices[..., 3]
    return homogeneous[..., :2] / homogeneous[..., 2:]
