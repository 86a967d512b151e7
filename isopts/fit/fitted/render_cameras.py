"""The cameras through which a fit is rendered, and what their images are called."""

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from isopts.data.views import ViewsConfig, read_views
from isopts.errors import InputError
from isopts.fit.fitted.fitted_field import FittedField
from isopts.fit.fitted.refined_views import with_refined_cameras
from isopts.geometry.cameras import Cameras
from isopts.geometry.orbit import Orbit

_SIZE, _FOCAL = (640, 480), 1600.0  # pixels of an orbit around a scan, whose longest side, 1.5, is more than an image:
_DISTANCE, _ELEVATION = 4.0, 0.35  # shortened, the focal length makes it fill the images


@dataclass(frozen=True)
class RenderCameras:
    """cameras: V, float32, unit frame. names: V different ones, without suffix. whole: focal lengths may be shortened
    so that the object is in every image."""

    cameras: Cameras
    names: list[str]
    whole: bool = False

    def select(self, views: list[int]) -> "RenderCameras":
        """Some of them, in this order. Raises InputError for one that is not there."""
        if beyond := [view for view in views if not 0 <= view < len(self.names)]:
            raise InputError(f"The view {beyond[0]} does not exist; the views are 0 ... {len(self.names) - 1}.")
        if not views:
            raise InputError("No view is chosen; give at least one number.")
        chosen = sorted(set(views))
        return replace(self, cameras=self.cameras.select(chosen), names=[self.names[view] for view in chosen])

    def resized(self, size: tuple[int, int]) -> "RenderCameras":
        """For images of this width and height, border on border."""
        sizes = torch.tensor([size] * len(self.names)).to(self.cameras.sizes)
        return replace(self, cameras=self.cameras.resized(sizes))


def fitted_cameras(fitted: FittedField) -> RenderCameras:
    """Of the images that were fitted, as large as they were fitted, numbered. Raises InputError for a fit of a scan."""
    if fitted.appearance is None:
        raise InputError("A fit of a scan has no cameras; say from where to look with --orbit N or --views DIR.")
    return _numbered(fitted.appearance.cameras)


def folder_cameras(fitted: FittedField, path: Path, config: ViewsConfig) -> RenderCameras:
    """Of a folder of posed images in the fit's input coordinates, called as they are; refined where the fit refined
    them. Raises InputError."""
    views = read_views(path, config)
    if fitted.appearance is not None:
        views = with_refined_cameras(fitted, views)
    names = [Path(name).stem for name in views.names]
    if len(set(names)) < len(names):  # of several folders, or suffixes
        names = [f"{view:03d}_{name}" for view, name in enumerate(names)]
    return RenderCameras(views.cameras.in_frame(fitted.frame).to(fitted.device, torch.float32), names)


def orbit_cameras(fitted: FittedField, count: int, size: tuple[int, int] | None) -> RenderCameras:
    """`count` on a circle around the object: like those of the fitted images, or, around a scan, with y upwards.

    Args:
        size: width and height of the images; as large as those that were fitted, or 640 480, where None.
    """
    orbit = _scan_orbit() if fitted.appearance is None else Orbit.like(fitted.appearance.cameras)
    orbit = orbit if size is None else orbit.resized(size)
    return replace(_numbered(orbit.cameras(count).to(fitted.device, torch.float32)), whole=True)


def _scan_orbit() -> Orbit:
    width, height = _SIZE
    intrinsics = torch.tensor([[_FOCAL, 0, (width - 1) / 2], [0, _FOCAL, (height - 1) / 2], [0, 0, 1]])
    return Orbit(_DISTANCE, _ELEVATION, torch.eye(3), intrinsics, _SIZE)


def _numbered(cameras: Cameras) -> RenderCameras:
    digits = max(3, len(str(len(cameras) - 1)))
    return RenderCameras(cameras, [f"{view:0{digits}d}" for view in range(len(cameras))])
