"""How well an image repeats another one on the object. Nothing outside the mask has an influence."""

import math
from typing import NamedTuple

import numpy as np

from isopts.errors import InputError

_WINDOW_PIXELS = 11  # of SSIM; skimage's with a sigma of 1.5 cut off at 3.5 of them


class _Compared(NamedTuple):
    """The mask's surroundings. image, expected: (h, w, 3) float64, 0 ... 1, black outside of mask (h, w)."""

    image: np.ndarray
    expected: np.ndarray
    mask: np.ndarray


def psnr(image: np.ndarray, expected: np.ndarray, mask: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB: -10 log10 of the mean squared error over the pixels and channels of the mask,
    the peak being 1. inf where they are equal.

    Args:
        image, expected: (H, W, 3), uint8 or floating point from 0 to 1, each as it likes.
        mask: (H, W) bool, with at least one true pixel.

    Raises:
        InputError: other shapes or types, values that are not from 0 to 1, an empty mask.
    """
    compared = _prepare(image, expected, mask)
    error = float(np.square(compared.image - compared.expected)[compared.mask].mean())
    return -10 * math.log10(error) if error > 0 else math.inf


def ssim(image: np.ndarray, expected: np.ndarray, mask: np.ndarray) -> float:
    """Structural similarity, 1 at best: the mean over pixels and channels of the mask.

    With the parameters of Wang et al. (IEEE TIP 2004): a Gaussian window of 11x11 pixels and sigma 1.5, K1 = 0.01,
    K2 = 0.03, range 1, covariances divided by N; channels separately. Outside the mask both images count as black, so
    that windows across the silhouette compare the object alone.

    Arguments and errors as of `psnr`; images of fewer than 11 pixels along a side are an InputError.
    """
    from skimage.metrics import structural_similarity

    compared = _prepare(image, expected, mask)
    if min(mask.shape) < _WINDOW_PIXELS:
        height, width = mask.shape
        raise InputError(f"SSIM looks at windows of 11x11 pixels, the images are {width}x{height}; use larger ones.")
    _, similarity = structural_similarity(
        compared.image,
        compared.expected,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        K1=0.01,
        K2=0.03,
        data_range=1.0,
        channel_axis=2,
        full=True,
    )
    return float(similarity[compared.mask].mean())


def _prepare(image: np.ndarray, expected: np.ndarray, mask: np.ndarray) -> _Compared:
    if image.shape != expected.shape or image.ndim != 3 or image.shape[2] != 3 or mask.shape != image.shape[:2]:
        raise InputError(
            f"The images are {image.shape} and {expected.shape}, the mask {mask.shape}; expected (H, W, 3) twice and "
            "(H, W): bring them to one size."
        )
    if mask.dtype != np.bool_:
        raise InputError(f"The mask is {mask.dtype}; expected bool: compare it with a threshold.")
    if not mask.any():
        raise InputError("The mask is empty, no pixel can be compared; leave the view out.")
    box = _surroundings(mask)
    inside = mask[box][..., None]
    return _Compared(*(np.where(inside, _as_share(picture[box]), 0) for picture in (image, expected)), mask[box])


def _as_share(picture: np.ndarray) -> np.ndarray:
    """float64, 0 ... 1."""
    if picture.dtype == np.uint8:
        return picture / 255
    if not (np.issubdtype(picture.dtype, np.floating) and picture.min() >= 0 and picture.max() <= 1):
        raise InputError(
            f"An image is {picture.dtype} from {picture.min()} to {picture.max()}; expected uint8, or floating point "
            "from 0 to 1: scale or clip it."
        )
    return picture.astype(np.float64)


def _surroundings(mask: np.ndarray) -> tuple[slice, slice]:
    """Rows and columns of the mask and of a window around it: all that its pixels depend on."""
    used = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return tuple(slice(max(0, at[0] - _WINDOW_PIXELS), at[-1] + _WINDOW_PIXELS + 1) for at in used)
