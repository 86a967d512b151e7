"""Silhouettes of masks that are larger or smaller than the object by the same everywhere, put where they belong."""

from dataclasses import replace

import torch
from torch.nn import functional

from isopts.fit.views.image_stack import ImageStack
from isopts.fit.views.silhouette_rays import SilhouetteRays, silhouette_rays
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

    def moved(by: float) -> SilhouetteMaps:
        return moved_maps(maps, cameras, images.cameras, by)

    outside = silhouette_rays(moved(offset - _DOUBT), cameras, generator).outside
    inside = silhouette_rays(moved(offset + _DOUBT), cameras, generator).inside
    return moved(offset), SilhouetteRays(outside, inside)


def moved_maps(maps: SilhouetteMaps, cameras: Cameras, shrunk: Cameras, offset: float) -> SilhouetteMaps:
    """`maps` of silhouettes `offset` pixels farther in, of the images whose cameras are `shrunk`; cameras: of the
    masks."""
    lengths = maps.sizes.long().prod(dim=1)
    return replace(
        maps, maps=maps.maps + (offset * _steps(maps, cameras, shrunk)).repeat_interleave(lengths).to(maps.maps)
    )


def with_masks(images: ImageStack, maps: SilhouetteMaps, cameras: Cameras) -> ImageStack:
    """`images` whose masks are what is inside the silhouettes of `maps`; cameras: of the masks.

    Maps and images have the upper left corner in common, not the lower right one: a map is padded to whole pixels, an
    image is cut.
    """
    masks = []
    steps = _steps(maps, cameras, images.cameras).tolist()
    for view, (step, (width, height)) in enumerate(zip(steps, images.cameras.sizes.tolist(), strict=True)):
        distances = maps.map(view)[None, None].nan_to_num()  # infinite ones, times 0, would be none
        x, y = _centers(width, step, distances.shape[3]), _centers(height, step, distances.shape[2])
        grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), dim=-1)[None].to(distances)
        masks.append(functional.grid_sample(distances, grid, padding_mode="border", align_corners=False)[0, 0] < 0)
    return replace(images, masks=torch.cat([mask.flatten() for mask in masks]).to(images.masks.device))


def _steps(maps: SilhouetteMaps, cameras: Cameras, shrunk: Cameras) -> torch.Tensor:
    """(V,) float64: pixels of the map along one of the image."""
    shrinkage = shrunk.focal_lengths().double().cpu() / cameras.focal_lengths().double().cpu()
    return 1 / (maps.factors * shrinkage)


def _centers(count: int, step: float, size: int) -> torch.Tensor:
    """(count,) the image's pixel centres on a map of `size` pixels, whose borders are -1 and 1."""
    return (torch.arange(count, dtype=torch.float64) + 0.5) * step * 2 / size - 1
