"""Depths of coarse images without masks: along each pixel's ray the place where other views agree best."""

from typing import NamedTuple

import torch
from torch.nn import functional

from isopts.geometry.cameras import Cameras
from isopts.kernels.patch_consistency import INVALID, PatchLimits, PatchViews, patch_consistency

_SOURCES = 6
_BEST = 3  # sources that count: the others may be occluded
BASELINES = 5.0, 55.0
"""Degrees at the region's centre between views that are compared: least, most."""
_BASELINE = 14.0  # the best
_LIMITS = PatchLimits(half_size=2)  # patches of 5 x 5 pixels
_FINER = 9  # places of the second pass
_RAYS_A_BATCH = 4096


class DepthMaps(NamedTuple):
    """Depth maps of V views in one buffer, row by row, view after view, starting at first (V,) int64.

    distances (P,) from the camera to the place of the best score, inf where there is none; scores (P,): mean NCC of the
    best sources there, INVALID where no place has one. cameras: of the maps, unit frame. step: between the places that
    were compared, unit frame.
    """

    distances: torch.Tensor
    scores: torch.Tensor
    first: torch.Tensor
    cameras: Cameras
    step: float

    def points(self) -> torch.Tensor:
        """(P, 3) unit frame; not finite where there is no depth."""
        origins, directions, _ = map_rays(self.cameras)
        return origins + self.distances[:, None] * directions

    def views(self) -> torch.Tensor:
        """(P,) the view of each place."""
        return torch.repeat_interleave(
            torch.arange(len(self.first), device=self.first.device), self.cameras.sizes.prod(dim=1)
        )

    def leads(self, points: torch.Tensor) -> torch.Tensor:
        """(V, N): how far in front of each view's depth points (N, 3) are, along its ray; NaN where the view has no
        depth there or no such pixel."""
        pixels, depths = self.cameras.project(points)
        nearest = (pixels + 0.5).floor()
        sizes = self.cameras.sizes[:, None]
        inside = (depths > 0) & ((nearest >= 0) & (nearest < sizes)).all(dim=2)
        column, row = torch.where(inside[..., None], nearest, 0).long().unbind(2)
        measured = self.distances[self.first[:, None] + row * sizes[..., 0] + column]
        ahead = measured - (points[None] - self.cameras.centers()[:, None]).norm(dim=2)
        return torch.where(inside & measured.isfinite(), ahead, torch.nan)


def neighboring_views(centers: torch.Tensor, count: int = _SOURCES) -> torch.Tensor:
    """(V, count) int32: to each view those whose direction from the origin differs by about 14 degrees, 5 to 55 at any
    rate; -1 where there are fewer. centers: (V, 3), unit frame."""
    directions = functional.normalize(centers, dim=1)
    angles = torch.rad2deg(torch.arccos((directions @ directions.T).clamp(-1, 1)))
    allowed = (angles >= BASELINES[0]) & (angles <= BASELINES[1])
    costs = torch.where(allowed, (angles / _BASELINE).log().abs(), torch.inf)
    found = costs.topk(min(count, len(centers)), dim=1, largest=False)
    return torch.where(found.values.isfinite(), found.indices, -1).int()


def sweep_depths(views: PatchViews, cameras: Cameras, stride: int, planes: int) -> DepthMaps:
    """Look along the ray of every `stride`-th pixel at `planes` places in the unit sphere.

    Args:
        views: grey images. cameras: theirs, unit frame.
    """
    coarse = _every(cameras, stride)
    origins, directions, owners = map_rays(coarse)
    nearest = -(origins * directions).sum(dim=1)
    half = (1 - (origins.square().sum(dim=1) - nearest.square())).clamp_min(0).sqrt()
    meets = torch.nonzero((half > 0) & (nearest > 0))[:, 0]
    sources = neighboring_views(views.centers)
    distances, scores = torch.full_like(nearest, torch.inf), torch.full_like(nearest, INVALID)
    shares = torch.linspace(-1, 1, planes + 2, device=half.device)[1:-1]
    for some in meets.split(_RAYS_A_BATCH):
        places = nearest[some, None] + half[some, None] * shares  # (B, planes)
        for offsets in (None, torch.linspace(-1, 1, _FINER, device=half.device)):
            if offsets is not None:  # again, between the neighbours of the best place
                places = distances[some, None] + half[some, None] * 2 / (planes + 1) * offsets
            found = _scores(views, sources, origins[some], directions[some], owners[some], places)
            scores[some], best = found.max(dim=1)
            distances[some] = places.gather(1, best[:, None])[:, 0]
    distances[scores == INVALID] = torch.inf
    first = torch.cumsum(coarse.sizes.prod(dim=1), 0) - coarse.sizes.prod(dim=1)
    return DepthMaps(distances, scores, first, coarse, 2 / (planes + 1))


def map_rays(cameras: Cameras) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Origins (P, 3), unit directions (P, 3) and views (P,) of all pixels, row by row, view after view."""
    pixels, owners = [], []
    for view, (width, height) in enumerate(cameras.sizes.tolist()):
        pixels.append(torch.cartesian_prod(torch.arange(height), torch.arange(width)).flip(1))
        owners.append(torch.full((width * height,), view))
    device = cameras.intrinsics.device
    owners = torch.cat(owners).to(device)
    return *cameras.rays(owners, torch.cat(pixels).to(device)), owners


def _every(cameras: Cameras, stride: int) -> Cameras:
    """The cameras of images of which every `stride`-th pixel is kept, from number stride // 2 on."""
    intrinsics = cameras.intrinsics.clone()
    intrinsics[:, :2, 2] -= stride // 2
    intrinsics[:, :2] /= stride
    sizes = (cameras.sizes - stride // 2 + stride - 1) // stride
    return Cameras(intrinsics, cameras.rotations, cameras.translations, sizes.clamp_min(1))


def _scores(
    views: PatchViews,
    sources: torch.Tensor,
    origins: torch.Tensor,
    directions: torch.Tensor,
    owners: torch.Tensor,
    places: torch.Tensor,
) -> torch.Tensor:
    """(B, D): of planes across the rays (B, 3) at distances (B, D); INVALID where fewer than two sources see them."""
    points = origins[:, None] + places[..., None] * directions[:, None]
    normals = (-directions)[:, None].expand_as(points)
    references = owners.int()[:, None].expand_as(places).reshape(-1)
    surfels = points.reshape(-1, 3), normals.reshape(-1, 3), references, sources[references.long()]
    scores = patch_consistency(*surfels, views, _LIMITS)
    best = scores.topk(min(_BEST, scores.shape[1]), dim=1).values
    valid = best > INVALID
    means = torch.where(valid, best, 0).sum(dim=1) / valid.sum(dim=1).clamp_min(1)
    return torch.where(valid.sum(dim=1) >= 2, means, INVALID).view_as(places)
