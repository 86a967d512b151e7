"""Posed images from a folder in any supported format."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field

from isopts.config import StrictModel
from isopts.data.masks import MaskConfig, MaskSource, find_mask_files
from isopts.data.pictures import picture_size, read_picture
from isopts.data.posed_image import FoundViews, PosedImage
from isopts.data.posed_views import PosedViews
from isopts.data.view_formats.colmap import find_colmap, read_colmap
from isopts.data.view_formats.data_dict import find_data_dict, read_data_dict
from isopts.data.view_formats.idr import CAMERA_FILES, find_idr, read_idr
from isopts.data.view_formats.middlebury import find_middlebury, read_middlebury
from isopts.data.view_formats.transforms import find_transforms, read_transforms
from isopts.errors import InputError
from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.distortion import undistorted_intrinsics
from isopts.geometry.sphere import Sphere

__all__ = ["VIEWS_MIN", "PosedViews", "ViewFormat", "ViewsConfig", "read_views"]

VIEWS_MIN = 3
"""Fewest views of an object: two silhouettes leave it open."""

ViewFormat = Literal["auto", "idr", "transforms", "colmap", "middlebury", "data-dict"]


class _Format(NamedTuple):
    find: Callable[[Path], Path | None]
    read: Callable[[Path], FoundViews]
    expected: str


_FORMATS: dict[str, _Format] = {  # looked for in this order: a data_dict has a cameras.npz of another meaning beside it
    "data-dict": _Format(find_data_dict, read_data_dict, "data_dict.npz"),
    "idr": _Format(find_idr, read_idr, " or ".join(CAMERA_FILES)),
    "transforms": _Format(find_transforms, read_transforms, "transforms.json"),
    "colmap": _Format(find_colmap, read_colmap, "a COLMAP model in sparse/0"),
    "middlebury": _Format(find_middlebury, read_middlebury, "*_par.txt"),
}


class ViewsConfig(StrictModel):
    """How a folder of posed images is read."""

    format: ViewFormat = Field(
        "auto", description="idr, transforms, colmap, middlebury, data-dict; auto: by the files in the folder"
    )
    masks: MaskConfig = Field(MaskConfig(), description="where the masks come from")
    sphere: tuple[float, float, float, float] | None = Field(
        None,
        description="x, y, z and radius of a sphere around the object, in world units; null: from cameras or masks",
    )


def read_views(path: str | Path, config: ViewsConfig | None = None) -> PosedViews:
    """Find images, cameras and masks; reads no pixels but the headers of the images.

    Args:
        path: the data set's folder, or its camera file (`transforms_test.json`, `dinoSR_par.txt`).

    Raises:
        InputError: no such folder, no or several meanings, a damaged file, an image or mask that is missing, an image
            of another size than its camera's, fewer than VIEWS_MIN images.
    """
    path, config = Path(path), config or ViewsConfig()
    name, source = _detect(path, config.format)
    found = _FORMATS[name].read(source)
    if len(found.images) < VIEWS_MIN:
        raise InputError(f"'{source}' has {len(found.images)} images; at least {VIEWS_MIN} are needed.")
    sizes = [_size(posed) for posed in found.images]
    cameras = Cameras.stack([_pinhole(posed, size) for posed, size in zip(found.images, sizes, strict=True)], sizes)
    folder = path if path.is_dir() else path.parent
    mask_source, mask_files = _choose_masks(found, folder, config.masks)
    return PosedViews(
        cameras,
        found.images,
        name,
        mask_source,
        tuple(mask_files),
        config.masks,
        _region(found, config),
        found.sparse_points,
        found.notes,
    )


def _detect(path: Path, wanted: ViewFormat) -> tuple[str, Path]:
    """Name of the format and what its reader takes."""
    if not path.exists():
        raise InputError(f"'{path}' does not exist; expected a folder of posed images.")
    formats = _FORMATS if wanted == "auto" else {wanted: _FORMATS[wanted]}
    if path.is_file():
        return _format_of_file(path, formats), path
    for name, known in formats.items():
        if source := known.find(path):
            return name, source
    expected = ", ".join(known.expected for known in formats.values())
    raise InputError(f"'{path}' has no cameras; expected {expected} in it.")


def _format_of_file(path: Path, formats: dict[str, _Format]) -> str:
    by_suffix = {
        ".json": "transforms",
        ".txt": "middlebury",
        ".npz": "data-dict" if path.stem == "data_dict" else "idr",
    }
    name = by_suffix.get(path.suffix.lower())
    if name not in formats:
        raise InputError(f"'{path}' is no camera file of a known format; give the folder of the images and cameras.")
    return name


def _size(posed: PosedImage) -> tuple[int, int]:
    """(width, height) of the image file, which must be the calibrated one."""
    size = picture_size(posed.image)
    if posed.size not in (None, size):
        raise InputError(
            f"The image '{posed.image}' is {size[0]}x{size[1]}, its camera {posed.size[0]}x{posed.size[1]}; expected "
            "the same size: use the images that were calibrated."
        )
    return size


def _pinhole(posed: PosedImage, size: tuple[int, int]) -> Camera:
    if posed.distortion.is_zero():
        return posed.camera
    try:
        intrinsics = undistorted_intrinsics(posed.camera.intrinsics, size, posed.distortion)
    except ValueError as error:
        raise InputError(f"The image '{posed.image}' is {error}; check its k1, k2, p1, p2.") from None
    return Camera(intrinsics, posed.camera.rotation, posed.camera.translation)


def _choose_masks(found: FoundViews, folder: Path, config: MaskConfig) -> tuple[MaskSource, list[Path]]:
    """The mask source, never `auto`, and the files for `dir`."""
    if config.source in ("auto", "dir") and (files := find_mask_files(found.images, folder)):
        return "dir", files
    if config.source == "dir":
        raise InputError(
            f"'{folder}' has no folder 'mask' or 'masks'; add one, or use --mask-from alpha, black or white."
        )
    if config.source != "auto":
        return config.source, []
    if read_picture(found.images[0].image).shape[2] % 2 == 0:
        return "alpha", []
    raise InputError(
        f"'{folder}' has no masks: no folder 'mask' and no alpha channel; add masks, use --mask-from black or white "
        "where the background is plain, or do without: --mask-from none."
    )


def _region(found: FoundViews, config: ViewsConfig) -> Sphere | None:
    if config.sphere is None:
        return found.region
    x, y, z, radius = config.sphere
    if not (np.isfinite(config.sphere).all() and radius > 0):
        raise InputError(f"The sphere {x:g} {y:g} {z:g} {radius:g} has no positive radius; give x y z and the radius.")
    return Sphere((x, y, z), radius)
