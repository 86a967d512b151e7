"""How much larger than the object masks are all around: where photographs agree best about the hull's surface."""

import torch
from torch.nn import functional

from isopts.fit.photo.baselines import comparison_limits
from isopts.fit.stored_state import stored_tensor
from isopts.fit.views.image_stack import image_pyramid
from isopts.fit.views.prepared_views import PreparedViews
from isopts.fit.views.surfels import depth_views
from isopts.fit.views.view_losses import counted_sources
from isopts.geometry.visual_hull import VisualHull
from isopts.isopoints.project import ProjectionConfig, project
from isopts.kernels.patch_consistency import patch_consistency
from isopts.kernels.point_visibility import DepthViews, point_visibility
from isopts.kernels.view_choice import choose_views
from isopts.run.checkpoint import Checkpoint

MASK_OFFSET = "mask_offset"
"""Name of the tensor in a checkpoint."""

_COARSE = range(-6, 17, 2)  # pixels; beyond, masks mean something else
_TOO_SMALL, _TOO_LARGE = -2, 3  # pixels, from which on masks are: a hull is never smaller than the object
_POINTS, _CANDIDATES = 2000, 40_000
_BAND = 0.03  # unit frame, around the hull, in which points are drawn
_AGREES = 0.9  # NCC of a patch that lies on the object
_SHARE_GOOD = 0.5  # of the points that agree as they are: nothing to look for
_SHARE_MIN = 0.1  # fewer that agree say nothing
_BETTER = 1.3  # times as many as for masks as they are
_ASIDE, _SHARP = 4, 2.0  # pixels aside, where so many times fewer agree: of few silhouettes the whole hull is too large
_DISC, _TOLERANCE, _COSINE_MIN = 1.0, 1.5, 0.15  # spacings of random points, which leave gaps; see surfels.py
_FEWEST = 2  # views beside the reference


def mask_offset(views: PreparedViews, wrong_masks: int, generator: torch.Generator) -> float:
    """Pixels of the fitted images by which all masks reach beyond the object, negative where they lack its border; 0
    where the photographs do not say so clearly.

    Wherever the object is convex the hull of its silhouettes touches it, and photographs agree about patches there. If
    they agree about far more of the hull of masks that are so much smaller, the masks are too large by that much.
    """
    hull = VisualHull(views.silhouettes, wrong_masks)
    points = _points_near(hull, views.silhouettes.maps.device, generator)
    if len(points) == 0:
        return 0.0
    photographs, depths = image_pyramid(views.images, 1)[0], depth_views(views.cameras)
    limits = comparison_limits(views.cameras)

    def share(offset: float) -> float:
        surface, normals, cosines = _surface(hull, offset * views.pixel, points, depths)
        if len(surface) == 0:
            return 0.0
        noise = torch.rand(cosines.shape, generator=generator).to(surface)
        references, sources = choose_views(surface, cosines, photographs.centers, noise, limits)
        return _agreeing_share(patch_consistency(surface, normals, references, sources, photographs))

    as_they_are = share(0)
    if as_they_are > _SHARE_GOOD:
        return 0.0
    shares = {0: as_they_are, **{offset: share(offset) for offset in _COARSE if offset != 0}}
    best = max(shares, key=shares.__getitem__)
    shares |= {offset: share(offset) for offset in (best - 1, best + 1)}
    best = max(shares, key=shares.__getitem__)
    if _TOO_SMALL < best < _TOO_LARGE or shares[best] < max(_SHARE_MIN, _BETTER * as_they_are):
        return 0.0
    aside = max(share(best - _ASIDE), share(best + _ASIDE))
    return float(best) if shares[best] > _SHARP * aside else 0.0


def offset_note(offset: float) -> str:
    """For the user, of an offset that is not 0."""
    size, way = ("larger", "in") if offset > 0 else ("smaller", "out")
    return (
        f"All masks seem to be {abs(offset):g} pixels {size} than the object all around, of the images as the fit "
        f"shrinks them (data.pixels_max): their silhouettes are moved {way}wards; --set data.mask_offset=0 takes them "
        "as they are."
    )


def stored_mask_offset(checkpoint: Checkpoint, source: str) -> float:
    """Of a run that is continued. Raises InputError where the checkpoint is damaged."""
    return float(stored_tensor(checkpoint.tensors, MASK_OFFSET, (), source))


def applied_mask_offset(checkpoint: Checkpoint, source: str) -> float:
    """By which a run moved all masks, as `mask_offset`; 0 where its checkpoint says nothing of it, an older one."""
    return stored_mask_offset(checkpoint, source) if MASK_OFFSET in checkpoint.tensors else 0.0


def _points_near(hull: VisualHull, device: torch.device, generator: torch.Generator) -> torch.Tensor:
    """(N, 3) in a band around the hull's surface."""
    points = (2 * torch.rand((_CANDIDATES, 3), generator=generator) - 1).to(device)
    points = points[points.norm(dim=1) < 1]
    return points[hull(points).abs() < _BAND][:_POINTS]


def _surface(
    hull: VisualHull, inwards: float, points: torch.Tensor, depths: DepthViews
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Points (N, 3) on the surface so far `inwards` of the hull's, normals (N, 3), and cosines (N, V) to the views."""

    def moved(places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        values, gradients = hull.value_and_gradient(places)
        return values + inwards, gradients

    found = project(moved, points, ProjectionConfig(tolerance=1e-3, steps_max=3))
    surface = found.points[found.converged]
    normals = functional.normalize(hull.value_and_gradient(surface)[1], dim=1)
    spacing = (4 * torch.pi / max(len(surface), 1)) ** 0.5  # of a sphere that fills the frame: no object has less room
    return (
        surface,
        normals,
        point_visibility(surface, normals, depths, _DISC * spacing, _TOLERANCE * spacing, _COSINE_MIN),
    )


def _agreeing_share(scores: torch.Tensor) -> float:
    """Of surfels, those whose reference view and at least two others agree; scores: (N, S)."""
    counted = counted_sources(scores, -1.0, scores.shape[1])
    count = counted.sum(dim=1)
    means = (counted * scores).sum(dim=1) / count.clamp_min(1)
    return float(((means > _AGREES) & (count >= _FEWEST)).double().mean())
