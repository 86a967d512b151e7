"""Which pixels show the object: from mask files, the alpha channel, or a plain background."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator
from scipy import ndimage

from isopts.config import StrictModel
from isopts.data.pictures import read_picture
from isopts.data.posed_image import PosedImage, image_files
from isopts.errors import InputError

MaskSource = Literal["auto", "dir", "alpha", "black", "white", "none"]
MASK_FOLDERS = ("mask", "masks", "silhouette", "silhouettes")

_OBJECT = 128  # grey value from which a mask's pixel is the object
_SPECK_SHARE, _HOLE_SHARE = 0.02, 0.01  # of the largest part's area: below, it is noise of the background or a shadow
_BORDER_SHARE = 0.75


class MaskConfig(StrictModel):
    """Where the masks come from."""

    source: MaskSource = Field(
        "auto",
        description="dir: files, white on black; alpha: the images' alpha channel; black, white: the images' "
        "background; none: there are no masks, every pixel may show the object; auto: dir where there are files, else "
        "alpha",
    )
    threshold: float = Field(
        0.1, gt=0, lt=1, description="black and white: least difference from the background, 1 = full brightness"
    )
    invert: bool = Field(False, description="dir and alpha: the object is black, or transparent")

    @model_validator(mode="after")
    def _says_what_counts(self) -> "MaskConfig":
        plain = self.source in ("black", "white")
        if self.threshold != MaskConfig.model_fields["threshold"].default and not plain:
            raise ValueError(f"threshold tells masks from a black or white background, not from {self.source}")
        if self.invert and (plain or self.source == "none"):
            raise ValueError(f"invert turns masks of files or alpha channels round, not those of {self.source}")
        return self


def find_mask_files(images: Sequence[PosedImage], folder: Path) -> list[Path] | None:
    """The mask file of each image, None where there are no mask files at all.

    A file that the format names comes first. Else the files of `mask/` or `masks/` belong to the images by name
    (`7.png`, `7.jpg.png`), by number (`mask_007.png`), or in their order where there are as many as images.

    Raises:
        InputError: an image has no mask; names the first one.
    """
    named = [posed.mask for posed in images if posed.mask is not None]
    if len(named) == len(images):
        return named
    place = next((folder / name for name in MASK_FOLDERS if (folder / name).is_dir()), None)
    if place is None:
        return None
    files = image_files(place) or sorted(path for path in place.rglob("*") if path.is_file())
    by_name = {path.name.split(".")[0]: path for path in files}
    by_number = {number: path for path in files if (number := _number(path)) is not None}
    matched = [by_name.get(posed.image.name.split(".")[0]) for posed in images]
    if None in matched and len(by_number) == len(files):
        matched = [by_number.get(_number(posed.image)) for posed in images]
    if None in matched and len(files) == len(images):
        return files
    missing = [posed.image for posed, mask in zip(images, matched, strict=True) if mask is None]
    if missing:
        more = f" (nor have {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise InputError(f"The image '{missing[0]}' has no mask in '{place}'{more}; add it, or remove the image.")
    return matched


def mask_from_file(path: Path, config: MaskConfig) -> np.ndarray:
    """(H, W) bool; the brightest channel counts, or an alpha channel where the rest is uniform. Raises InputError."""
    picture = read_picture(path)
    colors = picture[..., : picture.shape[2] - (picture.shape[2] % 2 == 0)]
    values = colors.max(axis=2)
    if colors.shape[2] < picture.shape[2] and values.min() == values.max():
        values = picture[..., -1]
    return (values >= _OBJECT) != config.invert


def mask_from_image(picture: np.ndarray, source: MaskSource, config: MaskConfig, name: Path) -> np.ndarray:
    """(H, W) bool from an image (H, W, C) as `read_picture` gives it.

    On a plain background small specks and holes are noise and are removed.

    Raises:
        InputError: `alpha` is asked of an image without alpha channel.
    """
    alpha = picture.shape[2] % 2 == 0
    if source == "alpha":
        if not alpha:
            raise InputError(f"'{name}' has no alpha channel; give masks in a folder 'mask', or --mask-from black.")
        return (picture[..., -1] >= _OBJECT) != config.invert
    colors = picture[..., : picture.shape[2] - alpha]
    levels = config.threshold * 255
    differs = colors.max(axis=2) > levels if source == "black" else colors.min(axis=2) < 255 - levels
    return _without_noise(differs)


def mask_problem(mask: np.ndarray) -> str | None:
    """What is wrong with a mask (H, W), as the end of a sentence; None: it can be right."""
    if not mask.any():
        return "is empty: it shows no object"
    if mask.all():
        return "covers the whole image: it shows no background"
    border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).mean()
    if border > _BORDER_SHARE and mask[1:-1, 1:-1].mean() < border:
        return "looks inverted: most of its border is object; expected white on black (--invert-masks turns it round)"
    return None


def _without_noise(mask: np.ndarray) -> np.ndarray:
    mask = _keep_large(mask, _SPECK_SHARE)
    holes = ~mask
    area = mask.sum()
    label, _ = ndimage.label(holes)
    sizes = np.bincount(label.ravel())
    small = sizes < _HOLE_SHARE * area
    small[0] = False
    return mask | small[label]


def _keep_large(mask: np.ndarray, share: float) -> np.ndarray:
    label, count = ndimage.label(mask)
    if count == 0:
        return mask
    sizes = np.bincount(label.ravel())
    sizes[0] = 0
    return (sizes >= share * sizes.max())[label]


def _number(path: Path) -> int | None:
    """The last number in a file's name: 7 of `mask_007.png`."""
    digits = "".join(mark if mark.isdecimal() else " " for mark in path.name.split(".")[0]).split()
    return int(digits[-1]) if digits else None
