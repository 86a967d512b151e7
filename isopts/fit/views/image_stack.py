"""All images of a fit as bytes in one buffer, and their pyramid for the photo-consistency."""

import math
from dataclasses import dataclass

import numpy as np
import torch

from isopts.data.on_threads import map_on_threads
from isopts.data.posed_views import PosedViews
from isopts.geometry.block_sums import block_sums
from isopts.geometry.cameras import Cameras
from isopts.geometry.frames import WorldToUnit
from isopts.kernels.launch import thread_count
from isopts.kernels.patch_consistency import PatchViews

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_BUFFER_PIXELS_MAX = 240_000_000  # of all views: with masks and the pyramid 1.3 GB


@dataclass(frozen=True)
class ImageStack:
    """Images of V views, of any sizes, row by row, view after view: colors (P, 3) uint8, masks (P,) bool, true on the
    object, first (V,) int64 where each begins. cameras: of these images, float32, unit frame."""

    colors: torch.Tensor
    masks: torch.Tensor
    first: torch.Tensor
    cameras: Cameras

    def sample(self, views: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """Colours (R, 3) in 0 ... 1 at `pixels` (R, 2), column and row, of `views` (R,); interpolated between pixel
        centres, beyond the outermost of them continued."""
        last = self.cameras.sizes[views] - 1
        at = torch.minimum(pixels.clamp_min(0), last)
        corner = torch.minimum(at.long(), (last - 1).clamp_min(0))
        a, b = (at - corner).unsqueeze(2).unbind(1)
        width = last[:, 0] + 1
        start = self.first[views] + corner[:, 1] * width + corner[:, 0]
        right, down = (last[:, 0] > 0).long(), torch.where(last[:, 1] > 0, width, 0)
        corners = (start, start + right, start + down, start + right + down)
        upper_left, upper_right, lower_left, lower_right = (self.colors[index].float() for index in corners)
        upper = upper_left + a * (upper_right - upper_left)
        return (upper + b * (lower_left + a * (lower_right - lower_left) - upper)) / 255

    def masked(self, views: torch.Tensor, pixels: torch.Tensor) -> torch.Tensor:
        """(R,) bool: whether the pixel (R, 2) nearest to each place is in the image and on the object."""
        nearest = (pixels + 0.5).floor().long()
        sizes = self.cameras.sizes[views]
        inside = ((nearest >= 0) & (nearest < sizes)).all(dim=1)
        nearest = torch.minimum(nearest.clamp_min(0), sizes - 1)
        return inside & self.masks[self.first[views] + nearest[:, 1] * sizes[:, 0] + nearest[:, 0]]

    def places(self, indices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Views (R,) and pixels (R, 2) float32 of positions (R,) in the buffers."""
        views = torch.searchsorted(self.first, indices, right=True) - 1
        inside, width = indices - self.first[views], self.cameras.sizes[views, 0]
        return views, torch.stack([inside % width, inside // width], dim=1).float()


def stack_images(views: PosedViews, frame: WorldToUnit, pixels_max: int, device: torch.device) -> ImageStack:
    """Decode images and masks, shrunk by whole factors to at most `pixels_max` pixels each."""
    pixels_max = min(pixels_max, _BUFFER_PIXELS_MAX // len(views))

    def shrunk(view: int) -> tuple[np.ndarray, np.ndarray, int]:
        image, mask = views.image(view), views.mask(view)
        factor = math.ceil(math.sqrt(mask.size / pixels_max))
        shares = _block_means(mask[..., None].astype(np.uint8) * 255, factor)[..., 0]
        return _block_means(image, factor), shares >= 128, factor

    colors, masks, factors = zip(*map_on_threads(shrunk, range(len(views)), thread_count()), strict=True)
    sizes = torch.tensor([mask.shape[::-1] for mask in masks])
    cropped = sizes * torch.tensor(factors)[:, None]
    cameras = views.cameras.in_frame(frame).cropped(cropped).resized(sizes)
    return ImageStack(
        torch.from_numpy(np.concatenate([image.reshape(-1, 3) for image in colors])).to(device),
        torch.from_numpy(np.concatenate([mask.ravel() for mask in masks])).to(device),
        _starts(cameras.sizes).to(device),
        cameras.to(device, torch.float32),
    )


def image_pyramid(images: ImageStack, levels: int) -> list[PatchViews]:
    """Grey images and masks, the finest first, each level half as large as the one before it; fewer levels where an
    image is too small for more."""
    cameras, pictures = images.cameras, []
    for start, (width, height) in zip(images.first.tolist(), cameras.sizes.tolist(), strict=True):
        part = slice(start, start + width * height)  # one view after the other: floats of all would be the peak
        grey = (images.colors[part].cpu().float() @ torch.tensor(_LUMA) + 0.5).byte().numpy()
        mask = images.masks[part].cpu().numpy().astype(np.uint8) * 255
        pictures.append(np.stack([grey, mask], axis=1).reshape(height, width, 2))
    pyramid = [_patch_views(pictures, cameras)]
    while len(pyramid) < levels and int(cameras.sizes.min()) >= 2:
        pictures = [_block_means(picture, 2) for picture in pictures]
        cameras = cameras.halved()
        pyramid.append(_patch_views(pictures, cameras))
    return pyramid


def with_cameras(pyramid: list[PatchViews], cameras: Cameras) -> list[PatchViews]:
    """The same images with other cameras, those of the finest level given."""
    levels = []
    for views in pyramid:
        if levels:
            cameras = cameras.halved()
        levels.append(views._replace(**_camera_parts(cameras)))
    return levels


def _camera_parts(cameras: Cameras) -> dict[str, torch.Tensor]:
    return {
        "projections": cameras.projections(),
        "backprojections": cameras.backprojections(),
        "centers": cameras.centers(),
    }


def _patch_views(pictures: list[np.ndarray], cameras: Cameras) -> PatchViews:
    """pictures: (H, W, 2), grey and mask; half a mask is none."""
    greys, masks = (np.concatenate([picture[..., part].ravel() for picture in pictures]) for part in (0, 1))
    device = cameras.intrinsics.device
    return PatchViews(
        greys=torch.from_numpy(greys).to(device),
        masks=torch.from_numpy((masks >= 128).astype(np.uint8)).to(device),
        first=_starts(cameras.sizes),
        sizes=cameras.sizes.int(),
        **_camera_parts(cameras),
    )


def _starts(sizes: torch.Tensor) -> torch.Tensor:
    """(V,) int64: where images of these sizes (V, 2) begin in a common buffer."""
    pixels = sizes.prod(dim=1)
    return torch.cumsum(pixels, 0) - pixels


def _block_means(picture: np.ndarray, factor: int) -> np.ndarray:
    """(H, W, C) uint8 shrunk by a whole factor; rows and columns that do not fill a block are cut off."""
    if factor == 1:
        return picture
    return ((block_sums(picture, factor) + factor**2 // 2) // factor**2).astype(np.uint8)
