"""Posed images made ready for a fit: checked, placed in a unit frame, decoded, with rays along their silhouettes."""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from isopts.data.on_threads import map_on_threads
from isopts.data.point_cloud import PointCloud
from isopts.data.posed_views import PosedViews
from isopts.data.region import GUESS, guess_note, region_of_interest, region_without_masks, view_silhouettes
from isopts.data.surface_points import surface_points
from isopts.data.view_problems import mask_doubt, pose_problems, require_no_problems
from isopts.data.views import VIEWS_MIN, read_views
from isopts.errors import InputError
from isopts.fit.clouds.prepared_cloud import PreparedCloud
from isopts.fit.views.config import DataConfig
from isopts.fit.views.image_stack import ImageStack, stack_images
from isopts.fit.views.moved_silhouettes import moved_silhouettes, with_masks
from isopts.fit.views.prior import usable_prior
from isopts.fit.views.silhouette_rays import SilhouetteRays, no_rays, silhouette_rays
from isopts.geometry.camera_corrections import CameraCorrections
from isopts.geometry.cameras import Cameras
from isopts.geometry.contradictions import cut_shares
from isopts.geometry.frames import WorldToUnit
from isopts.geometry.hull_region import TOLERATED_MAX, hull_region
from isopts.geometry.silhouette_maps import SilhouetteMaps
from isopts.geometry.sphere import Sphere
from isopts.kernels.launch import thread_count
from isopts.kernels.visual_hull import Silhouettes

_CUT_SHARE, _CUT_RATIO = 0.05, 6.0  # of the hull, and against the median view: whose silhouette is not believed
_BELIEVED_SHARE = 0.75  # of the views: when more than the rest contradict each other, who is to say which are right
_ONE_WRONG_OF = 20  # masks may be wrong where the object's frame is looked for
_ALONE = 0.5  # of the region that the other masks allow: less may be what one leaves that shows no such object
_TIGHTER = 0.9  # a region smaller by less than this is not worth another frame


@dataclass(frozen=True)
class PreparedViews:
    """The V fitted views of a data set.

    source: all of them. fitted: numbers of these in it. frame: world to unit. images: decoded, with cameras of the unit
    frame. silhouettes: distance maps of the masks, cameras of the unit frame; rays: beside the silhouettes; maps: of
    the masks, on the CPU; without masks None, none, None. notes: sentences for the user. mask_offset: by how many
    pixels of `images` silhouettes and masks were moved inwards. prior: points on the surface, where some are known;
    given_points: as they were given, world frame.
    """

    source: PosedViews
    fitted: list[int]
    frame: WorldToUnit
    images: ImageStack
    silhouettes: Silhouettes | None
    rays: SilhouetteRays
    maps: SilhouetteMaps | None
    notes: list[str]
    mask_offset: float = 0.0
    prior: PreparedCloud | None = None
    given_points: PointCloud | None = None

    @property
    def cameras(self) -> Cameras:
        """Of the fitted views, float32, unit frame, for the decoded images."""
        return self.images.cameras

    @property
    def exact_cameras(self) -> Cameras:
        """Of the fitted views, float64, unit frame, for the images at full size, on the CPU."""
        return self.source.cameras.select(self.fitted).in_frame(self.frame)

    def corrected(self, corrections: CameraCorrections) -> "PreparedViews":
        """These, as they were given, with corrected cameras; held-out views keep theirs."""
        given, device = self.exact_cameras, self.images.masks.device
        exact = corrections.applied(given)
        silhouettes = self.silhouettes
        if silhouettes is not None:  # whose maps stay
            seen = self.maps.seen_by(exact)
            projections, focal_lengths = seen.projections.to(device), seen.focal_lengths.to(device)
            silhouettes = silhouettes._replace(projections=projections, focal_lengths=focal_lengths)
        return replace(
            self,
            source=self.source.with_cameras(self.source.cameras.replaced(self.fitted, exact.out_of_frame(self.frame))),
            images=replace(self.images, cameras=corrections.applied(self.images.cameras)),
            silhouettes=silhouettes,
            rays=self.rays.moved(given, exact),
        )

    def with_mask_offset(self, offset: float, generator: torch.Generator) -> "PreparedViews":
        """These, as they were read, with silhouettes and masks `offset` pixels of `images` farther in.

        Raises InputError where nothing is left of them.
        """
        exact, device = self.exact_cameras, self.images.masks.device
        maps, rays = moved_silhouettes(self.maps, exact, self.images, offset, generator)
        images = with_masks(self.images, maps, exact)
        if not bool(images.masks.any()):
            raise InputError(f"data.mask_offset={offset:g} leaves nothing of the masks; give a smaller one.")
        return replace(
            self,
            images=images,
            silhouettes=Silhouettes(*(part.to(device) for part in maps.seen_by(exact))),
            rays=rays.to(device),
            maps=maps,
            mask_offset=offset,
        )

    @property
    def pixel(self) -> float:
        """Side of a pixel at the object, unit frame: median over the views."""
        return float((self.cameras.centers().norm(dim=1) / self.cameras.focal_lengths()).median())


def prepare_views(
    path: Path, config: DataConfig, device: torch.device, generator: torch.Generator, mask_offset: float = 0.0
) -> PreparedViews:
    """Read and check posed images, find the object, decode what is fitted.

    Args:
        mask_offset: pixels of the decoded images by which all masks are too large, see isopts.fit.views.mask_offset.

    Raises:
        InputError: a view that cannot be used, named with the reason; too few views; a held-out view that is not there.
    """
    source = read_views(path, config.views)
    chosen = fitted_views(len(source), config.holdout)
    blank = _blank_masks(source, chosen) if source.masked else {}
    fitted = [view for view in chosen if view not in blank]
    views = source.select(fitted)
    points = surface_points(source, config.prior)
    if not source.masked:
        return _without_masks(source, fitted, points, config, device)
    maps = view_silhouettes(views)
    region = region_of_interest(views, maps)
    require_no_problems(pose_problems(source, region))
    notes = [*source.notes, *(left_out_note(source, view, blank[view]) for view in blank)]
    tight, fewest = _tightened(views, maps, region), fewest_views(len(chosen))
    while (doubted := _doubted(views, maps, region, tight)) is not None and len(views) > fewest:
        notes.append(_doubt(views, doubted))
        kept = [view for view in range(len(views)) if view != doubted]  # the others, judged without it, may be right
        views, maps, fitted = views.select(kept), maps.select(kept), [fitted[view] for view in kept]
        region = region_of_interest(views, maps)  # afresh: those had cut it off
        tight = _tightened(views, maps, region)
    frame = tight.frame()
    cameras = views.cameras.in_frame(frame)
    images = stack_images(views, frame, config.pixels_max, device)
    rays = silhouette_rays(maps, cameras, generator).to(device)
    silhouettes = Silhouettes(*(part.to(device) for part in maps.seen_by(cameras)))
    prior = usable_prior(points, frame, device, config.prior is not None, notes)
    prepared = PreparedViews(source, fitted, frame, images, silhouettes, rays, maps, notes, 0.0, prior, points)
    return prepared.with_mask_offset(mask_offset, generator) if mask_offset != 0 else prepared


def _without_masks(
    source: PosedViews, fitted: list[int], points: PointCloud | None, config: DataConfig, device: torch.device
) -> PreparedViews:
    region, region_from = region_without_masks(source, points)
    require_no_problems(pose_problems(source, region))
    frame, notes = region.frame(), [*source.notes, *([guess_note(region)] if region_from == GUESS else [])]
    images = stack_images(source.select(fitted), frame, config.pixels_max, device)
    prior = usable_prior(points, frame, device, config.prior is not None, notes)
    return PreparedViews(source, fitted, frame, images, None, no_rays(device), None, notes, 0.0, prior, points)


def fitted_views(count: int, holdout: Collection[int]) -> list[int]:
    """Those of `count` views that are not held out. Raises InputError where one is not there or too few are left."""
    if beyond := [view for view in holdout if not 0 <= view < count]:
        raise InputError(f"The held-out view {beyond[0]} does not exist; the views are 0 ... {count - 1}.")
    fitted = [view for view in range(count) if view not in holdout]
    if len(fitted) < VIEWS_MIN:
        raise InputError(f"{len(fitted)} views are left to fit; hold out fewer, at least {VIEWS_MIN} are needed.")
    return fitted


def fewest_views(count: int) -> int:
    """How many of `count` views must be left when those are left out that cannot be believed."""
    return max(VIEWS_MIN, math.ceil(_BELIEVED_SHARE * count))


def left_out_note(source: PosedViews, view: int, doubt: str) -> str:
    """For the user, of a view whose mask is blank."""
    return f"The view '{source.labels[view]}' is left out. {doubt}"


def _blank_masks(source: PosedViews, fitted: list[int]) -> dict[int, str]:
    """Fitted views whose mask is empty, full or inverted -> a sentence about it.

    Raises:
        InputError: a held-out view's is, which is to be compared with; or they are many, as where the masks mean
            something else.
    """
    found = map_on_threads(lambda view: mask_doubt(source, view), range(len(source)), thread_count())
    doubts = {view: doubt for view, doubt in enumerate(found) if doubt is not None}
    require_no_problems({view: doubt for view, doubt in doubts.items() if view not in fitted})
    if len(fitted) - len(doubts) < fewest_views(len(fitted)):
        require_no_problems(doubts)
    return doubts


def _tightened(views: PosedViews, maps: SilhouetteMaps, region: Sphere) -> Sphere:
    """The sphere around what the masks allow in `region`: a frame that the object fills resolves it better."""
    tighter = _allowed(views, maps, region, len(views) // _ONE_WRONG_OF)
    return region if tighter is None or tighter.radius >= _TIGHTER * region.radius else tighter


def _allowed(views: PosedViews, maps: SilhouetteMaps, region: Sphere, tolerated: int) -> Sphere | None:
    """The sphere around what all masks but `tolerated` ones allow in `region`; None: they do not bound it."""
    try:
        return hull_region(views.cameras, maps, tolerated=min(tolerated, TOLERATED_MAX), within=region)
    except InputError:
        return None


def _doubted(views: PosedViews, maps: SilhouetteMaps, region: Sphere, tight: Sphere) -> int | None:
    """The view that cuts off most of the hull, where that is much more than others do.

    Looked for in `tight`, of `_tightened`; where that is what all masks allow, and what all but one allow is much
    larger, there first: around the speck that is left of a mask all others look wrong.
    """
    without_one = _allowed(views, maps, region, 1) if len(views) < _ONE_WRONG_OF else None
    alone = without_one is not None and tight.radius < _ALONE * without_one.radius
    for judged in (without_one, tight) if alone else (tight,):
        cuts = cut_shares(views.cameras.in_frame(judged.frame()), maps)
        if cuts.max() > max(_CUT_SHARE, _CUT_RATIO * float(cuts.median())):
            return int(cuts.argmax())
    return None


def _doubt(views: PosedViews, view: int) -> str:
    return (
        f"The view '{views.labels[view]}' is left out: its silhouette cuts off what the others see; look at its mask "
        f"'{views.mask_name(view)}' and at its pose."
    )
