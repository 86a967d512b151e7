"""The definition: Gauss-Newton steps on the shift of a patch that its plane carries into a source view."""

import torch

from isopts.kernels.patch_alignment.kernel import NOISE, SETTLED
from isopts.kernels.patch_consistency.patch import INVALID, SOURCE_CONTRAST_SHARE
from isopts.kernels.patch_consistency.reference import patch_pixels, project, reference_patches, sample
from isopts.kernels.patch_consistency.views import PatchLimits, PatchViews


def align_patches_reference(
    points: torch.Tensor,
    normals: torch.Tensor,
    references: torch.Tensor,
    sources: torch.Tensor,
    views: PatchViews,
    shifts: torch.Tensor,
    limits: PatchLimits,
    iterations: int,
    step_max: float,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Shifts (N, S, 2), scores (N, S), covariances (N, S, 3), see op.py."""
    pixels, depth = patch_pixels(points, references, views, limits.half_size)
    greys, weights, usable, on_plane = reference_patches(
        pixels, pixels.new_zeros(pixels.shape[:2]), points, normals, references, views, limits
    )
    contrast = 255 * limits.contrast_min
    a = _centred(greys, weights)
    share = weights.mean(dim=1)
    good = (references >= 0) & (depth > 0) & usable.all(dim=1) & (share >= limits.mask_share_min)
    good &= (weights.sum(dim=1) >= 5) & ((a * a).mean(dim=1) >= contrast**2 * share)
    found = []
    for slot in range(sources.shape[1]):
        source = sources[:, slot]
        homogeneous = project(on_plane, source, views)
        ahead = (homogeneous[..., 2] > 0).all(dim=1)
        at = homogeneous[..., :2] / torch.where(ahead[:, None], homogeneous[..., 2], 1)[..., None]
        shift, score, covariance = shifts[:, slot].clone(), points.new_full(share.shape, INVALID), None
        searching = good & ahead & (source >= 0)
        for turn in range(iterations + 1):
            step, now, spread = _step(at + shift[:, None], source, views, weights, a, contrast)
            lengths = step.norm(dim=1)
            valid = (now > INVALID) & ((turn < iterations) | (lengths <= 0.5 * step_max))
            score = torch.where(searching, torch.where(valid, now, INVALID), score)
            covariance = spread if covariance is None else torch.where(searching[:, None], spread, covariance)
            searching = searching & valid & (lengths > SETTLED)
            if turn < iterations:
                limited = step * (step_max / lengths.clamp_min(step_max))[:, None]
                shift = torch.where(searching[:, None], shift + limited, shift)
        lost = (score == INVALID)[:, None]
        found.append((torch.where(lost, shifts[:, slot], shift), score, torch.where(lost, 0, covariance)))
    return tuple(torch.stack(part, dim=1) for part in zip(*found, strict=True))


def _step(
    pixels: torch.Tensor,
    source: torch.Tensor,
    views: PatchViews,
    weights: torch.Tensor,
    a: torch.Tensor,
    contrast: float,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Step (N, 2), NCC (N,) or INVALID, covariance (N, 3) of patches at `pixels` (N, P, 2) of the source."""
    with torch.enable_grad():
        pixels = pixels.detach().requires_grad_()
        greys, inside = sample(pixels, source, views)
        (slopes,) = torch.autograd.grad(greys.sum(), pixels)
    b = _centred(greys.detach(), weights)
    g = torch.stack([_centred(part, weights) for part in slopes.unbind(2)], dim=2)
    variation_a, variation_b = (a * a).sum(dim=1), (b * b).sum(dim=1)
    enough = inside.all(dim=1) & (variation_b >= (SOURCE_CONTRAST_SHARE * contrast) ** 2 * weights.sum(dim=1))
    safe = torch.where(enough & (variation_b > 0), variation_b, 1)
    g = g - b[..., None] * ((b[..., None] * g).sum(dim=1) / safe[:, None])[:, None]
    tensor = torch.einsum("npi,npj->nij", g, g)
    right = torch.einsum("npi,np->ni", g, a)
    determinant = tensor[:, 0, 0] * tensor[:, 1, 1] - tensor[:, 0, 1] ** 2
    enough &= determinant > 1e-6 * (tensor[:, 0, 0] + tensor[:, 1, 1]) ** 2
    inverse = torch.linalg.inv(torch.where(enough[:, None, None], tensor, torch.eye(2).to(tensor)))
    scaled = torch.einsum("nij,nj->ni", inverse, right)
    raw = torch.stack([_centred(part, weights) for part in slopes.unbind(2)], dim=2)
    gain = ((a * b).sum(dim=1) - ((b[..., None] * raw).sum(dim=1) * scaled).sum(dim=1)) / safe
    enough &= gain > 0
    gain = torch.where(enough, gain, 1)
    left = variation_a - (a * b).sum(dim=1) ** 2 / safe - (right * scaled).sum(dim=1)
    noise = (left / (weights.sum(dim=1) - 4).clamp_min(1)).clamp_min(NOISE**2) / gain**2
    covariance = noise[:, None] * inverse.flatten(1)[:, [0, 1, 3]]
    score = torch.where(enough, (a * b).sum(dim=1) / (variation_a * safe).clamp_min(1e-12).sqrt(), INVALID)
    return scaled / gain[:, None], score, covariance


def _centred(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """(N, P) without their weighted mean, 0 where the weight is 0; weights are 0 or 1."""
    return weights * (
        values - (weights * values).sum(dim=1, keepdim=True) / weights.sum(dim=1, keepdim=True).clamp_min(1)
    )
