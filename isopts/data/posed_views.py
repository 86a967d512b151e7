"""Posed images as a value: cameras for all of them, pictures when they are asked for."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

import numpy as np
import torch

from isopts.data.masks import MaskConfig, MaskSource, mask_from_file, mask_from_image
from isopts.data.pictures import read_picture
from isopts.data.posed_image import PosedImage
from isopts.data.undistort import undistort_picture
from isopts.errors import InputError
from isopts.geometry.cameras import Cameras
from isopts.geometry.sphere import Sphere

_CACHE_BYTES = 2**30


@dataclass(frozen=True)
class PosedViews:
    """Photographs of one object from V sides.

    cameras: float64, world frame, without distortion: they belong to what `image` and `mask` return.
    photographs: the files, with the lens as it was. format: their format's name.
    mask_files: one for each image where mask_source is `dir`.
    region: sphere around the object, where it is known without looking at masks. sparse_points: reads the format's own
    points (N, 3) on surfaces, world frame, where it has them. notes: sentences about what is not used.

    Pictures are decoded (and undistorted) on demand and kept as uint8, masks as bits, as long as a gigabyte holds them.
    """

    cameras: Cameras
    photographs: tuple[PosedImage, ...]
    format: str
    mask_source: MaskSource
    mask_files: tuple[Path, ...] = ()
    masks: MaskConfig = field(default_factory=MaskConfig)
    region: Sphere | None = None
    sparse_points: Callable[[], np.ndarray] | None = None
    notes: tuple[str, ...] = ()
    pinholes: torch.Tensor | None = None  # (V, 3, 3) that lens distortion is undone for, where cameras were corrected
    _cache: "_Pictures" = field(default_factory=lambda: _Pictures(_CACHE_BYTES), repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.photographs)

    @property
    def names(self) -> list[str]:
        """File names of the images."""
        return [posed.image.name for posed in self.photographs]

    @property
    def labels(self) -> list[str]:
        """What to call the views in notes and reports: the names; the images' paths where names repeat."""
        unique = len(set(self.names)) == len(self)
        return self.names if unique else [str(posed.image) for posed in self.photographs]

    @property
    def masked(self) -> bool:
        """Whether there are masks; without, `mask` is true on the whole photograph."""
        return self.mask_source != "none"

    def mask_name(self, view: int) -> Path:
        """The file that a view's mask comes from."""
        return self.mask_files[view] if self.mask_files else self.photographs[view].image

    def image(self, view: int) -> np.ndarray:
        """(H, W, 3) uint8, read-only. Raises InputError for a file that cannot be read."""
        return self._cache.get(
            ("image", self.photographs[view].image), lambda: _as_rgb(self._undistorted(view, self._photograph(view)))
        )

    def mask(self, view: int) -> np.ndarray:
        """(H, W) bool, true on the object, read-only.

        Raises:
            InputError: a file that cannot be read, or of another size than the image.
        """
        width, height = self.cameras.sizes[view].tolist()
        packed = self._cache.get(("mask", self.mask_name(view)), lambda: np.packbits(self._decode_mask(view)))
        mask = np.unpackbits(packed, count=width * height).view(bool).reshape(height, width)
        mask.flags.writeable = False
        return mask

    def with_cameras(self, cameras: Cameras) -> "PosedViews":
        """The same pictures, `image` and `mask` as they are, with other cameras."""
        return replace(self, cameras=cameras, pinholes=self._pinholes)

    def select(self, views: Sequence[int]) -> "PosedViews":
        """Some of the views, in this order, with what is decoded of them."""
        return replace(
            self,
            cameras=self.cameras.select(list(views)),
            photographs=tuple(self.photographs[view] for view in views),
            mask_files=tuple(self.mask_files[view] for view in views) if self.mask_files else (),
            pinholes=None if self.pinholes is None else self.pinholes[list(views)],
        )

    @property
    def _pinholes(self) -> torch.Tensor:
        return self.cameras.intrinsics if self.pinholes is None else self.pinholes

    def _photograph(self, view: int) -> np.ndarray:
        return read_picture(self.photographs[view].image)

    def _decode_mask(self, view: int) -> np.ndarray:
        if not self.masked:  # undistorting leaves no pixel blank
            return np.ones(tuple(self.cameras.sizes[view].tolist())[::-1], dtype=bool)
        if self.mask_files:
            mask = mask_from_file(self.mask_files[view], self.masks)
            size, expected = mask.shape[::-1], tuple(self.cameras.sizes[view].tolist())
            if size != expected:
                raise InputError(
                    f"The mask '{self.mask_files[view]}' is {size[0]}x{size[1]}, its image {expected[0]}x{expected[1]};"
                    " expected the same size."
                )
        else:
            photograph = self._photograph(view)
            mask = mask_from_image(photograph, self.mask_source, self.masks, self.photographs[view].image)
        if self.photographs[view].distortion.is_zero():
            return mask
        return self._undistorted(view, mask[..., None].astype(np.uint8) * 255)[..., 0] >= 128

    def _undistorted(self, view: int, picture: np.ndarray) -> np.ndarray:
        posed = self.photographs[view]
        if posed.distortion.is_zero():
            return picture
        pinhole = self._pinholes[view].numpy()
        return undistort_picture(picture, pinhole, posed.camera.intrinsics, posed.distortion)


def _as_rgb(picture: np.ndarray) -> np.ndarray:
    return picture[..., :3] if picture.shape[2] >= 3 else np.repeat(picture[..., :1], 3, axis=2)


class _Pictures:
    """Arrays of decoded pictures, the least recently used of them forgotten first. Threads may share it."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._kept: OrderedDict[tuple[str, Path], np.ndarray] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[str, Path], decode: Callable[[], np.ndarray]) -> np.ndarray:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        picture = np.ascontiguousarray(decode())
        picture.flags.writeable = False
        with self._lock:
            if key not in self._kept:  # another thread may have been faster
                self._kept[key] = picture
                self._bytes += picture.nbytes
            while self._bytes > self._bytes_max and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return picture
