"""The definition: pixels of the reference view, through the surfel's plane, into the source views."""

import torch

from isopts.kernels.patch_consistency.patch import INVALID, SOURCE_CONTRAST_SHARE
from isopts.kernels.patch_consistency.views import PatchLimits, PatchViews


def patch_consistency_reference(
    points: torch.Tensor,
    normals: torch.Tensor,
    references: torch.Tensor,
    sources: torch.Tensor,
    views: PatchViews,
    limits: PatchLimits,
) -> torch.Tensor:
    """Scores (N, S), see op.py. The patch's pixels do not follow the point: they are constants of the gradient."""
    pixels, depth = patch_pixels(points.detach(), references, views, limits.half_size)
    scores = consistency_at(pixels, points, normals, references, sources, views, limits)
    return torch.where((depth > 0)[:, None], scores, INVALID)


def patch_pixels(
    points: torch.Tensor, references: torch.Tensor, views: PatchViews, half_size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels (N, P, 2) of the patches around the projections of points, column first, and depths (N,)."""
    homogeneous = project(points[:, None], references, views)[:, 0]
    offsets = torch.arange(-half_size, half_size + 1, device=points.device, dtype=points.dtype)
    grid = torch.cartesian_prod(offsets, offsets).flip(1)  # row by row
    return homogeneous[:, None, :2] / homogeneous[:, None, 2:] + grid, homogeneous[:, 2]


def consistency_at(
    pixels: torch.Tensor,
    points: torch.Tensor,
    normals: torch.Tensor,
    references: torch.Tensor,
    sources: torch.Tensor,
    views: PatchViews,
    limits: PatchLimits,
) -> torch.Tensor:
    """Scores (N, S) of patches at given pixels (N, P, 2) of the reference views."""
    greys, weights, usable, on_plane = reference_patches(pixels, points, normals, references, views, limits)
    share = weights.mean(dim=1)
    good = (references >= 0) & usable.all(dim=1) & (share >= limits.mask_share_min) & (share > 0)
    contrast = 255 * limits.contrast_min
    total = weights.sum(dim=1, keepdim=True).clamp(min=1)
    a = weights * (greys - (weights * greys).sum(dim=1, keepdim=True) / total)
    good = good & ((a * a).mean(dim=1) >= contrast**2 * share)
    scores = []
    for source in sources.unbind(1):
        homogeneous = project(on_plane, source, views)
        ahead = homogeneous[..., 2] > 0
        greys, inside = sample(
            homogeneous[..., :2] / torch.where(ahead, homogeneous[..., 2], 1)[..., None], source, views
        )
        b = weights * (greys - (weights * greys).sum(dim=1, keepdim=True) / total)
        enough = (b * b).mean(dim=1) >= (SOURCE_CONTRAST_SHARE * contrast) ** 2 * share
        valid = good & (source >= 0) & (ahead & inside).all(dim=1) & enough
        square = torch.where(valid, (a * a).sum(dim=1) * (b * b).sum(dim=1), 1)
        scores.append(torch.where(valid, (a * b).sum(dim=1) / square.sqrt(), INVALID))
    return torch.stack(scores, dim=1) if scores else (points + normals)[:, :0]


def reference_patches(
    pixels: torch.Tensor,
    points: torch.Tensor,
    normals: torch.Tensor,
    references: torch.Tensor,
    views: PatchViews,
    limits: PatchLimits,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of pixels (N, P, 2) of the reference views: greys, weights (1 on the object, else 0), whether they are in it
    and face the plane (N, P) bool, and their places on the plane (N, P, 3)."""
    reference = references.clamp(min=0).long()
    center = views.centers[reference].to(points.dtype)
    greys, inside = sample(pixels, references, views)
    weights = mask_at(pixels, references, views).to(points.dtype)
    one = torch.ones_like(pixels[..., :1])
    rays = torch.cat([pixels, one], dim=2) @ views.backprojections[reference].to(points.dtype).mT  # (N, P, 3)
    slope = (rays * normals[:, None]).sum(dim=2)
    height = ((points - center) * normals).sum(dim=1)[:, None]
    usable = inside & (slope < 0) & (height < 0) & (-slope >= limits.cosine_min * rays.norm(dim=2))
    return greys, weights, usable, center[:, None] + (height / torch.where(usable, slope, -1))[..., None] * rays


def project(points: torch.Tensor, index: torch.Tensor, views: PatchViews) -> torch.Tensor:
    """(column * z, row * z, z) of points (N, P, 3) in the views `index` (N,)."""
    matrix = views.projections[index.clamp(min=0).long()].to(points.dtype)
    return points @ matrix[:, :, :3].mT + matrix[:, None, :, 3]


def sample(pixels: torch.Tensor, index: torch.Tensor, views: PatchViews) -> tuple[torch.Tensor, torch.Tensor]:
    """Bilinear greys (N, P), 0 ... 255, and where they exist: between the centres of four pixels."""
    view = index.clamp(min=0).long()
    width, height = (size[:, None] for size in views.sizes[view].long().unbind(1))
    u, v = pixels.unbind(2)
    inside = (u >= 0) & (v >= 0) & (u < width - 1) & (v < height - 1)
    u, v = torch.where(inside, u, 0), torch.where(inside, v, 0)
    left, top = u.detach().floor().long(), v.detach().floor().long()
    at = views.first[view, None] + top * width + left

    def grey(offset: torch.Tensor | int) -> torch.Tensor:
        return views.greys[torch.where(inside, at + offset, 0)].to(pixels.dtype)

    a, b = u - left, v - top
    upper = (1 - a) * grey(0) + a * grey(1)
    lower = (1 - a) * grey(width) + a * grey(width + 1)
    return (1 - b) * upper + b * lower, inside


def mask_at(pixels: torch.Tensor, index: torch.Tensor, views: PatchViews) -> torch.Tensor:
    """Whether the nearest pixel exists and is on the object, (N, P)."""
    view = index.clamp(min=0).long()
    width, height = (size[:, None] for size in views.sizes[view].long().unbind(1))
    u, v = (pixels + 0.5).floor().unbind(2)
    inside = (u >= 0) & (v >= 0) & (u < width) & (v < height)
    at = views.first[view, None] + torch.where(inside, v, 0).long() * width + torch.where(inside, u, 0).long()
    return inside & (views.masks[at] > 0)
