"""Images of a fit: colours, normals, depths and masks, as cameras see them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from isopts import __version__
from isopts.fit.fitted.fitted_field import FittedField, no_surface
from isopts.fit.fitted.render_cameras import RenderCameras
from isopts.fit.fitted.render_folder import RenderFolder
from isopts.fit.fitted.view_preview import render_fitted, sampled_copy
from isopts.geometry.cameras import Cameras
from isopts.geometry.widened import widened
from isopts.render.image_codes import DEPTH_MAX
from isopts.render.without_specks import without_specks

_COARSER = 4  # cells of the sampled copy along which one point is enough


def render_images(
    fitted: FittedField, views: RenderCameras, folder: RenderFolder, on_view: Callable[[], None]
) -> dict[str, Any]:
    """Render all views into a folder that is checked, and the video that it names; returns what render.json says.

    Normals are in the input's coordinates. Depths are along the optical axis, in counts of one unit for all images.

    Args:
        on_view: called after each view.

    Raises:
        InputError: the field has no surface; nothing is written then.
    """
    grid = without_specks(sampled_copy(fitted))
    inside = _inside(grid)
    if len(inside) == 0:
        raise no_surface()
    if views.whole:
        views = replace(views, cameras=widened(views.cameras, inside))
    unit = max(_farthest_depth(views.cameras), 1e-6) / DEPTH_MAX
    record = {
        "version": __version__,
        "step": fitted.step,
        "depth_unit": unit / fitted.frame.scale,
        "normals": "input coordinates",
        "views": _world_cameras(fitted, views),
    }
    folder.start(record)
    for view, name in enumerate(views.names):
        folder.add(name, render_fitted(fitted, views.cameras.select([view]), grid), unit)
        on_view()
    if folder.video is not None:
        folder.add_video()
    return record


def _inside(grid: torch.Tensor) -> torch.Tensor:
    """(N, 3) points inside the object, unit frame; the outermost are a few cells from its surface."""
    places = torch.nonzero(torch.nn.functional.max_pool3d(-grid[None, None], _COARSER, ceil_mode=True)[0, 0] > 0)
    return 2 * (_COARSER * places + _COARSER / 2) / (len(grid) - 1) - 1


def _farthest_depth(cameras: Cameras) -> float:
    """Of the domain of fields, the cube from -1 to 1, in any camera."""
    side = torch.tensor([-1.0, 1.0], device=cameras.translations.device)
    return float(cameras.project(torch.cartesian_prod(side, side, side))[1].max())


def _world_cameras(fitted: FittedField, views: RenderCameras) -> list[dict[str, Any]]:
    """Name, size and camera of each view, for points of the input's coordinates."""
    cameras = views.cameras.out_of_frame(fitted.frame)
    return [
        {
            "name": name,
            "size": cameras.sizes[view].tolist(),
            "intrinsics": cameras.intrinsics[view].tolist(),
            "rotation": cameras.rotations[view].tolist(),
            "translation": cameras.translations[view].tolist(),
        }
        for view, name in enumerate(views.names)
    ]
