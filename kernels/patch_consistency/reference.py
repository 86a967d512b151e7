"""The definition: pixels of the reference view, through the surfel's plane, into the source views."""

import torch

from isopts.kernels.patch_consistency.patch import INVALID, SOURCE_CONTRAST_SHARE, SPREAD_MIN
from isopts.kernels.patch_consistency.plane import SAG_MAX
from isopts.kernels.patch_consistency.views import PatchLimits, PatchViews


def patch_consistency_reference(
    points: torch.Tensor,
    normals: torch.Tensor,
    references: torch.Tensor,
    sources: torch.Tensor,
    bends: torch.Tensor,
    views: PatchViews,
    limits: PatchLimits,
) -> torch.Tensor:
    """Scores (N, S), see op.py. The patch's pixels do not follow the point, nor do the sags of its surface: they
    are constants of the gradient. bends: (N, 3, 3), or (0, 3, 3): all are flat."""
    pixels, depth = patch_pixels(points.detach(), references, views, limits.half_size)
    sags = pixels.new_zeros(pixels.shape[:2])
    if len(bends):
        sags = patch_sags(pixels, points.detach(), normals.detach(), references, bends, views, limits.half_size)
    scores = consistency_at(pixels, sags, points, normals, references, sources, views, limits)
    return torch.where((depth > 0)[:, None], scores, INVALID)


def patch_pixels(
    points: torch.Tensor, references: torch.Tensor, views: PatchViews, half_size: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Pixels (N, P, 2) of the patches around the projections of points, column first, and depths (N,)."""
    homogeneous = project(points[:, None], references, views)[:, 0]
    return homogeneous[:, None, :2] / homogeneous[:, None, 2:] + patch_grid(half_size).to(points), homogeneous[:, 2]


def patch_grid(half_size: int) -> torch.Tensor:
    """Column and row of the pixels of a patch, from its middle, row by row: (P, 2)."""
    offsets = torch.arange(-half_size, half_size + 1, dtype=torch.float32)
    return torch.cartesian_prod(offsets, offsets).flip(1)


def patch_sags(
    pixels: torch.Tensor,
    points: torch.Tensor,
    normals: torch.Tensor,
    references: torch.Tensor,
    bends: torch.Tensor,
    views: PatchViews,
    half_size: int,
) -> torch.Tensor:
    """How far the paraboloids of the shape operators (N, 3, 3) are below the planes, at the pixels, (N, P)."""
    middle = pixels[:, [pixels.shape[1] // 2]]
    rays, slopes, heights = to_planes(middle, points, normals, references, views)
    ray, along, depth = rays[:, 0], slopes, heights / slopes  # (N, 3), (N, 1), (N, 1)
    back = views.backprojections[references.clamp(min=0).long()].to(points.dtype)[..., :2]
    rises = torch.einsum("nij,ni->nj", back, normals) / along
    steps = depth[..., None] * (back - ray[..., None] * rises[:, None])  # (N, 3, 2), a pixel
    sags = steps.mT @ bends.to(points.dtype) @ steps / 2
    steepest = half_size * sags.abs().sum(dim=(1, 2))
    most = SAG_MAX * steps.norm(dim=1).sum(dim=1)
    sags = sags * (most / torch.maximum(most, steepest))[:, None, None]
    sags = torch.where((depth > 0)[..., None], sags, 0)  # none compares the others
    grid = patch_grid(half_size).to(points)
    return torch.einsum("pi,nij,pj->np", grid, sags, grid)


def consistency_at(
    pixels: torch.Tensor,
    sags: torch.Tensor,
    points: torch.Tensor,
    normals: torch.Tensor,
    references: torch.Tensor,
    sources: torch.Tensor,
    views: PatchViews,
    limits: PatchLimits,
) -> torch.Tensor:
    """Scores (N, S) of patches at given pixels (N, P, 2) of the reference views, on surfaces that are there below the
    planes by `sags` (N, P)."""
    greys, weights, usable, on_plane = reference_patches(pixels, sags, points, normals, references, views, limits)
    share = weights.mean(dim=1)
    good = (references >= 0) & usable.all(dim=1) & (share >= limits.mask_share_min) & (share > 0)
    contrast = 255 * limits.contrast_min
    grid = patch_grid(limits.half_size).to(weights).T
    basis = torch.cat([torch.ones_like(grid[:1]), grid[: 2 if limits.detrend else 0]])  # (B, P)
    moments = torch.einsum("np,bp,cp->nbc", weights, basis, basis)
    good = good & (torch.linalg.det(moments) > SPREAD_MIN * weights.sum(dim=1) ** 3) if limits.detrend else good
    moments = torch.where(good[:, None, None], moments, torch.eye(len(basis)).to(moments))

    def deviations(greys: torch.Tensor) -> torch.Tensor:
        trends = torch.linalg.solve(moments, torch.einsum("np,bp->nb", weights * greys, basis))
        return weights * (greys - trends @ basis)

    a = deviations(greys)
    good = good & ((a * a).mean(dim=1) >= contrast**2 * share)
    scores = []
    for source in sources.unbind(1):
        homogeneous = project(on_plane, source, views)
        ahead = homogeneous[..., 2] > 0
        greys, inside = sample(
            homogeneous[..., :2] / torch.where(ahead, homogeneous[..., 2], 1)[..., None], source, views
        )
        b = deviations(greys)
        enough = (b * b).mean(dim=1) >= (SOURCE_CONTRAST_SHARE * contrast) ** 2 * share
        valid = good & (source >= 0) & (ahead & inside).all(dim=1) & enough
        square = torch.where(valid, (a * a).sum(dim=1) * (b * b).sum(dim=1), 1)
        scores.append(torch.where(valid, (a * b).sum(dim=1) / square.sqrt(), INVALID))
    return torch.stack(scores, dim=1) if scores else (points + normals)[:, :0]


def reference_patches(
    pixels: torch.Tensor,
    sags: torch.Tensor,
    points: torch.Tensor,
    normals: torch.Tensor,
    references: torch.Tensor,
    views: PatchViews,
    limits: PatchLimits,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of pixels (N, P, 2) of the reference views: greys, weights (1 on the object, else 0), whether they are in it
    and face the plane (N, P) bool, and their places below the plane by `sags` (N, P), (N, P, 3)."""
    greys, inside = sample(pixels, references, views)
    weights = mask_at(pixels, references, views).to(points.dtype)
    rays, slopes, heights = to_planes(pixels, points, normals, references, views)
    usable = inside & (slopes < 0) & (heights < 0) & (-slopes >= limits.cosine_min * rays.norm(dim=2))
    centers = views.centers[references.clamp(min=0).long()].to(points.dtype)
    depths = (heights - sags) / torch.where(usable, slopes, -1)
    return greys, weights, usable, centers[:, None] + depths[..., None] * rays


def to_planes(
    pixels: torch.Tensor,
    points: torch.Tensor,
    normals: torch.Tensor,
    references: torch.Tensor,
    views: PatchViews,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Of the pixels (N, P, 2) of the reference views: rays (N, P, 3) of depth 1, their slopes towards the
    surfels' planes (N, P), and the heights of these above the cameras (N, 1)."""
    reference = references.clamp(min=0).long()
    rays = torch.cat([pixels, torch.ones_like(pixels[..., :1])], dim=2)
    rays = rays @ views.backprojections[reference].to(points.dtype).mT
    slopes = (rays * normals[:, None]).sum(dim=2)
    heights = ((points - views.centers[reference].to(points.dtype)) * normals).sum(dim=1)
    return rays, slopes, heights[:, None]


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
