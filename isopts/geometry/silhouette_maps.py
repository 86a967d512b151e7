"""Masks as maps of the signed distance to the silhouette."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.special import ndtri

from isopts.geometry.block_sums import block_sums
from isopts.geometry.cameras import Cameras
from isopts.kernels.visual_hull import Silhouettes

MAP_PIXELS_MAX = 250_000
"""Default size of a map: it takes 50 ms and a megabyte."""

_BLUR = 0.7  # pixels of the map; more rounds corners, less leaves steps
_NEAR = 1.0  # pixels
_BLURRED_RANGE = (0.06, 0.94)  # beyond it, 1.1 pixels away, the blurred step is flat


@dataclass(frozen=True)
class SilhouetteMaps:
    """Signed distance maps of V masks, in pixels of the map; see `Silhouettes` for maps (P,), first (V,), sizes (V, 2).

    factors: (V,) float64, pixels of the mask along a pixel of the map.
    """

    maps: torch.Tensor
    first: torch.Tensor
    sizes: torch.Tensor
    factors: torch.Tensor

    def __len__(self) -> int:
        return len(self.first)

    def map(self, view: int) -> torch.Tensor:
        """(h, w), of one view."""
        width, height = self.sizes[view].tolist()
        start = int(self.first[view])
        return self.maps[start : start + width * height].view(height, width)

    def pixels(self, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Views (R,) and pixels (R, 2) float64, column and row, of the masks at which pixels (R,) of all maps lie."""
        views = torch.searchsorted(self.first, indices, right=True) - 1
        place, width = indices - self.first[views], self.sizes[views, 0].long()
        pixels = torch.stack([place % width, place // width], dim=1).double()
        return views, (pixels + 0.5) * self.factors[views][:, None] - 0.5

    def select(self, views: Sequence[int]) -> "SilhouetteMaps":
        """The maps of these views, in this order."""
        chosen = torch.tensor(list(views))
        pixels = self.sizes[chosen].long().prod(dim=1)
        maps = torch.cat([self.map(view).flatten() for view in views])
        return SilhouetteMaps(maps, torch.cumsum(pixels, 0) - pixels, self.sizes[chosen], self.factors[chosen])

    def seen_by(self, cameras: Cameras) -> Silhouettes:
        """With the cameras of the masks, in the frame of the points to come; float32, so it should be a unit frame."""
        shrink = torch.diag_embed(
            torch.stack([1 / self.factors, 1 / self.factors, torch.ones_like(self.factors)], dim=1)
        )
        shrink[:, 0, 2] = shrink[:, 1, 2] = (1 / self.factors - 1) / 2  # the border of an image is at -0.5
        projections = shrink @ cameras.projections().double().cpu()
        focal_lengths = cameras.focal_lengths().double().cpu() / self.factors
        return Silhouettes(self.maps, self.first, self.sizes, projections.float(), focal_lengths.float())


def silhouette_maps(masks: Iterable[np.ndarray], pixels_max: int = MAP_PIXELS_MAX) -> SilhouetteMaps:
    """Distance maps of masks (H, W) bool, looked at one after the other, each shrunk by a whole factor to at most
    `pixels_max` pixels. On the CPU."""
    maps, factors = [], []
    for mask in masks:
        factors.append(math.ceil(math.sqrt(mask.size / pixels_max)))
        maps.append(signed_distance_map(mask, factors[-1]))
    sizes = torch.tensor([distances.shape[::-1] for distances in maps], dtype=torch.int32)
    ends = torch.cumsum(sizes.long().prod(dim=1), 0)
    buffer = torch.from_numpy(np.concatenate([distances.ravel() for distances in maps]))
    first = torch.cat([ends.new_zeros(1), ends[:-1]])
    return SilhouetteMaps(buffer, first, sizes, torch.tensor(factors, dtype=torch.float64))


def signed_distance_map(mask: np.ndarray, factor: int = 1) -> np.ndarray:
    """Distance (ceil(H / factor), ceil(W / factor)) float32 from pixel centres to the silhouette of `mask` (H, W) bool,
    in pixels of the map, negative on the object.

    At the silhouette, where a blurred step of a known width says how far away it is, steps of the pixel grid are
    smoothed: on discs the error is 0.1 to 0.2 pixels of the mask for factors up to 4, of a distance transform of the
    mask itself 0.26. Elsewhere it is the distance to the nearest pixel of the other kind and that pixel's own.
    A mask of one kind only: infinite distances.
    """
    share = _block_means(mask, factor)
    inside = share >= 0.5
    if inside.all() or not inside.any():
        return np.where(inside, -np.inf, np.inf).astype(np.float32)
    near = -_BLUR * ndtri(np.clip(gaussian_filter(share, _BLUR, mode="nearest"), *_BLURRED_RANGE))
    near = np.where(inside, np.minimum(near, 0), np.maximum(near, 0))  # thin parts stay
    outward, first_inside = distance_transform_edt(~inside, return_indices=True)
    inward, first_outside = distance_transform_edt(inside, return_indices=True)
    far = np.where(inside, near[tuple(first_outside)] - inward, near[tuple(first_inside)] + outward)
    return np.where(np.abs(near) < _NEAR, near, far).astype(np.float32)


def _block_means(mask: np.ndarray, factor: int) -> np.ndarray:
    if factor == 1:
        return mask.astype(np.float32)
    height, width = mask.shape
    padded = np.pad(mask, ((0, -height % factor), (0, -width % factor)), mode="edge")
    return (block_sums(padded.view(np.uint8)[..., None], factor)[..., 0] / factor**2).astype(np.float32)
