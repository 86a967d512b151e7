"""How well a fit of images repeats them: those that it was fitted to, and those that it never saw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from isopts.data.posed_views import PosedViews
from isopts.evaluate.image_figures import RenderedView, image_figures
from isopts.evaluate.mask_figures import mask_figures
from isopts.evaluate.report import Report
from isopts.evaluate.view_names import view_names
from isopts.geometry.triangle_mesh import TriangleMesh


@dataclass(frozen=True)
class FittedViews:
    """What a fit did with the views of a folder. fitted, held_out: their numbers; a view that the fit left out for its
    contradictions is in neither. renderer: makes a function from a view's number to its rendering (H, W, 3), float,
    0 ... 1, of the size of its image, black on the background; None: the fit knows no colours."""

    fitted: tuple[int, ...]
    held_out: tuple[int, ...]
    renderer: Callable[[], Callable[[int], np.ndarray]] | None


def fitted_view_figures(mesh: TriangleMesh, views: PosedViews, fit: FittedViews) -> Report:
    """`mask_figures` over all views, also the means over fitted and held-out ones; PSNR and SSIM inside the masks of
    the held-out views, `psnr_heldout_mean`, or where none is held out of the fitted ones, `psnr_fitted_mean`. Where the
    rendering shows background inside a mask, it counts as black.

    Renders one view after the other.

    Args:
        mesh: in the frame of the cameras.

    Raises:
        InputError: as `mask_figures` and `image_figures`.
    """
    masks, names = mask_figures(mesh, views), view_names(views)
    figures = dict(masks.figures)
    for group, members in (("fitted", fit.fitted), ("heldout", fit.held_out)):
        if members:
            ious = [masks.views[names[view]]["mask_iou"] for view in members]
            figures[f"mask_iou_{group}_mean"] = float(np.mean(ious))
    of_masks = Report(figures, notes=masks.notes, views=masks.views)
    if fit.renderer is None:
        return Report.joined([of_masks, Report({}, notes=["no PSNR: colours were not fitted"])])
    return Report.joined([of_masks, _color_figures(views, names, fit, fit.renderer())])


def _color_figures(
    views: PosedViews, names: Sequence[str], fit: FittedViews, render: Callable[[int], np.ndarray]
) -> Report:
    group, members = ("heldout", fit.held_out) if fit.held_out else ("fitted", fit.fitted)
    images = image_figures(
        RenderedView(names[view], render(view), views.image(view), views.mask(view)) for view in members
    )
    means = {f"{kind}_{group}_mean": images.figures[f"{kind}_mean"] for kind in ("psnr", "ssim")}
    count = _count(members, "held-out view" if fit.held_out else "fitted view")
    note = f"PSNR and SSIM of {count}, inside the masks"
    note += "" if fit.fitted else "; none of the views is among those that were fitted"
    return Report(means, notes=[note], views=images.views)


def _count(members: Sequence[int], what: str) -> str:
    return f"{len(members)} {what}{'s' if len(members) > 1 else ''}"
