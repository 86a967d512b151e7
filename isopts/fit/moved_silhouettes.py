"""Silhouettes of masks that are larger or smaller than the object by the same everywhere, put where they belong."""

from dataclasses import replace

import torch
from torch.nn import functional

from isopts.fit.image_stack import ImageStack
from isopts.fit.silhouette_rays import SilhouetteRays, silhouette_rays
from isopts.geometry.cameras import Cameras
from isopts.geometry.silhouette_maps import SilhouetteMaps

_DOUBT = 1.0  # pixel of the images: how well the offset is known; rays say nothing about what lies in between


def moved_silhouettes(
    maps: SilhouetteMaps, cameras: Cameras, images: ImageStack, offset: float, generator: torch.Generator
) -> tuple[SilhouetteMaps, SilhouetteRays]:
    """Silhouettes `offset` pixels of `images` farther in, and rays a pixel beside them.

    Args:
        maps: of V masks. cameras: of the masks, unit frame.
    """
    shrinkage = images.cameras.focal_lengths().double().cpu() / cameras.focal_lengths().cpu()
    pixels = 1 / (maps.factors * shrinkage)  # of the map along one of the images

    def moved(by: float) -> SilhouetteMaps:
        lengths = maps.sizes.long().prod(dim=1)
        return replace(maps, maps=maps.maps + (by * pixels).repeat_interleave(lengths).to(maps.maps))

    outside = silhouette_rays(moved(offset - _DOUBT), cameras, generator).outside
    inside = silhouette_rays(moved(offset + _DOUBT), cameras, generator).inside
    return moved(offset), SilhouetteRays(outside, inside)


def with_masks(images: ImageStack, maps: SilhouetteMaps) -> ImageStack:
    """`images` whose masks are what is inside the silhouettes of `maps`, which are views of the same fields of view."""
    masks = []
    for view, (width, height) in enumerate(images.cameras.sizes.tolist()):
        distances = maps.map(view)[None, None]
        masks.append(functional.interpolate(distances, (height, width), mode="bilinear")[0, 0] < 0)
    return replace(images, masks=torch.cat([mask.flatten() for mask in masks]).to(images.masks.device))
