"""One image beside its rendering."""

import math

import numpy as np
import torch

from isopts.data.posed_views import PosedViews
from isopts.fit.fitted.fitted_field import FittedField
from isopts.geometry.cameras import Cameras
from isopts.render.headlight import headlight
from isopts.render.image_codes import encode_colors, encode_normals
from isopts.render.sampled_field import sample_field
from isopts.render.view_image import ViewImage, render_view

_RESOLUTION = 256  # of the sampled copy of the field
_PREVIEW_PIXELS = 200_000
_ERROR_GAIN = 4  # an error of a quarter is white


def render_fitted(fitted: FittedField, camera: Cameras, grid: torch.Tensor | None = None) -> ViewImage:
    """A fit as `camera` (one, unit frame, float32) sees it; without colours, such as that of a scan, it is grey.
    grid: of `sampled_copy`, for many views."""
    value_and_gradient = fitted.field.value_and_gradient

    def colors(points: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
        return fitted.appearance.colors(fitted.field, points, directions)

    grid = sampled_copy(fitted) if grid is None else grid
    shade = colors if fitted.has_colors else headlight(value_and_gradient)
    return render_view(value_and_gradient, grid, shade, camera)


def sampled_copy(fitted: FittedField) -> torch.Tensor:
    """Of the field, fine enough to find what an image shows."""
    return sample_field(fitted.field.value, _RESOLUTION, fitted.device)


def compare_view(fitted: FittedField, views: PosedViews, view: int) -> np.ndarray:
    """(H, 4 W, 3) uint8: the photograph on its mask, its rendering, their difference times four, the normals; shrunk to
    about 200,000 pixels each."""
    image, mask = views.image(view), views.mask(view)
    step = max(1, math.ceil(math.sqrt(mask.size / _PREVIEW_PIXELS)))
    image, mask = image[step // 2 :: step, step // 2 :: step], mask[step // 2 :: step, step // 2 :: step]
    camera = views.cameras.select([view]).in_frame(fitted.frame).decimated(step, mask.shape[::-1])
    rendered = render_fitted(fitted, camera.to(fitted.device, torch.float32))
    photograph = np.where(mask[..., None], image, 0)
    colors = encode_colors(rendered)
    error = np.abs(photograph.astype(np.int16) - colors).clip(0, 255 // _ERROR_GAIN) * _ERROR_GAIN
    return np.concatenate([photograph, colors, error.astype(np.uint8), encode_normals(rendered)], axis=1)
