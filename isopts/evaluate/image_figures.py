"""How well rendered images repeat photographs, as figures."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from isopts.errors import InputError
from isopts.evaluate.image_quality import psnr, ssim
from isopts.evaluate.report import Report


class RenderedView(NamedTuple):
    """name: of the view. image: rendered; expected: the photograph: (H, W, 3) uint8, or floating point from 0 to 1.
    mask: (H, W) bool, where they are compared."""

    name: str
    image: np.ndarray
    expected: np.ndarray
    mask: np.ndarray


def image_figures(rendered: Iterable[RenderedView]) -> Report:
    """PSNR and SSIM inside the masks: means over the views, and those of each view.

    Args:
        rendered: at least one, looked at one after the other, so that a generator may render them.

    Raises:
        InputError: there is none; two have one name; an image cannot be compared (names the view).
    """
    of_views = {}
    for view in rendered:
        if view.name in of_views:
            raise InputError(f"Two views have the name '{view.name}'; give each its own, such as its path.")
        try:
            of_views[view.name] = {
                "psnr": psnr(view.image, view.expected, view.mask),
                "ssim": ssim(view.image, view.expected, view.mask),
            }
        except InputError as error:
            raise InputError(f"View '{view.name}': {error}") from None
    if not of_views:
        raise InputError("No view was rendered to compare with a photograph; hold at least one out.")
    means = {f"{name}_mean": float(np.mean([of[name] for of in of_views.values()])) for name in ("psnr", "ssim")}
    return Report(means, views=of_views)
