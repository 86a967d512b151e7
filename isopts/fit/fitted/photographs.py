"""The photographs that a run was fitted to, read again."""

from dataclasses import replace
from pathlib import Path

import torch

from isopts.config import config_from_dict
from isopts.data.region import view_silhouettes
from isopts.data.views import read_views
from isopts.errors import InputError
from isopts.fit.colors.exposure import Exposures
from isopts.fit.fitted.fitted_field import FittedField
from isopts.fit.views.config import DataConfig
from isopts.fit.views.image_stack import ImageStack, stack_images
from isopts.fit.views.mask_offset import applied_mask_offset
from isopts.fit.views.moved_silhouettes import moved_maps, with_masks
from isopts.run.checkpoint import load_checkpoint

_PIXELS_MAX = 4_000_000  # an image; a fit gets along with less than a texture
_MOVED_MAX = 1e-4  # of the unit frame, and of a rotation's entries: rounding moves a camera by less


def fitted_photographs(path: Path, fitted: FittedField) -> ImageStack:
    """The images and masks of a run of fit-mvr, without held-out views and those that the fit left out; masks as the
    fit moved them, and colours without the exposures that it fitted.

    Args:
        path: the checkpoint or run folder of `fitted`.

    Raises:
        InputError: they are not where they were, cannot be read, or are not those of the fit.
        ConfigError: the checkpoint is damaged.
    """
    checkpoint = load_checkpoint(path)
    config = config_from_dict(DataConfig, checkpoint.config.get("data", {}), str(path))
    if config.path is None:
        raise InputError(f"'{path}' does not say where its photographs are; use --bake network.")
    views = read_views(config.path, config.views)
    cameras = views.cameras.in_frame(fitted.frame).to(fitted.device, torch.float32)
    known = fitted.appearance.given_cameras
    differences, chosen = torch.maximum(*known.apart_from(cameras)).min(dim=1)
    if float(differences.max()) > _MOVED_MAX:
        raise InputError(f"The cameras in '{config.path}' are not those that '{path}' was fitted to.")
    views = views.select(chosen.tolist())
    images = stack_images(views, fitted.frame, _PIXELS_MAX, fitted.device)
    if (exposures := fitted.appearance.exposures) is not None:
        images = _of_one_exposure(images, exposures)
    if (offset := applied_mask_offset(checkpoint, str(path))) != 0 and views.masked:
        images = with_masks(images, moved_maps(view_silhouettes(views), views.cameras, known, offset), views.cameras)
    corrections = fitted.appearance.corrections
    return images if corrections is None else replace(images, cameras=corrections.applied(images.cameras))


def _of_one_exposure(images: ImageStack, exposures: Exposures) -> ImageStack:
    """`images` as the surface's own colours are, as far as bytes can have them."""
    colors = torch.empty_like(images.colors)
    for view, (start, size) in enumerate(zip(images.first.tolist(), images.cameras.sizes.tolist(), strict=True)):
        part = slice(start, start + size[0] * size[1])  # one view after the other: floats of all would be the peak
        own = exposures.undone(images.colors[part].float() / 255, torch.tensor([view], device=colors.device))
        colors[part] = (255 * own.clamp(0, 1) + 0.5).byte()
    return replace(images, colors=colors)
