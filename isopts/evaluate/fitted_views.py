"""How well a fit of images repeats them: those that it was fitted to, and those that it never saw."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

import numpy as np

from isopts.data.posed_views import PosedViews
from isopts.evaluate.image_figures import RenderedView, image_figures
from isopts.evaluate.mask_figures import mask_figures
from isopts.evaluate.report import Report
from isopts.geometry.triangle_mesh import TriangleMesh


class Rendering(NamedTuple):
    """colors (H, W, 3), float, 0 ... 1, black on the background; mask (H, W) bool: the fitted surface."""

    colors: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True)
class FittedViews:
    """What a fit did with the views of a folder. fitted, held_out: their numbers; a view that the fit left out for its
    contradictions is in neither. renderer: makes a function from a view's number to its rendering, of the size of its
    image; None: the fit knows no colours. mask_offset: pixels of the fit's images by which it moved
    all masks inwards."""

    fitted: tuple[int, ...]
    held_out: tuple[int, ...]
    renderer: Callable[[], Callable[[int], Rendering]] | None
    mask_offset: float = 0.0


def fitted_view_figures(mesh: TriangleMesh, views: PosedViews, fit: FittedViews) -> Report:
    """`mask_figures` over all views, also the means over fitted and held-out ones; PSNR and SSIM inside the masks of
    the held-out views, `psnr_heldout_mean`, or where none is held out of the fitted ones, `psnr_fitted_mean`. Where the
    rendering shows background inside a mask, it counts as black.

    Without masks there is no IoU, and the colours are compared inside the rendered surface: `psnr_surface_heldout_mean`
    and so on. A surface that shrinks gains by that; a view in which it is not seen is left out and counted in a note.

    Renders one view after the other.

    Args:
        mesh: in the frame of the cameras.

    Raises:
        InputError: as `mask_figures` and `image_figures`.
    """
    names = views.labels
    if not views.masked:
        return _without_masks(views, names, fit)
    masks = mask_figures(mesh, views)
    figures = dict(masks.figures)
    for group, members in (("fitted", fit.fitted), ("heldout", fit.held_out)):
        if members:
            ious = [masks.views[names[view]]["mask_iou"] for view in members]
            figures[f"mask_iou_{group}_mean"] = float(np.mean(ious))
    notes = [*masks.notes, *([_moved_masks(fit.mask_offset)] if fit.mask_offset else [])]
    of_masks = Report(figures, notes=notes, views=masks.views)
    if fit.renderer is None:
        return Report.joined([of_masks, Report({}, notes=["no PSNR: colours were not fitted"])])
    return Report.joined([of_masks, _color_figures(views, names, fit, fit.renderer())])


def _color_figures(
    views: PosedViews, names: Sequence[str], fit: FittedViews, render: Callable[[int], Rendering]
) -> Report:
    group, members = ("heldout", fit.held_out) if fit.held_out else ("fitted", fit.fitted)
    kind = "held-out" if fit.held_out else "fitted"
    where = "" if views.masked else "surface_"
    hidden: list[int] = []
    compared = _rendered(views, names, members, render, hidden)
    if (first := next(compared, None)) is None and hidden:
        return Report({}, notes=[f"no PSNR: the surface is seen in none of {_count(members, f'{kind} view')}"])
    images = image_figures(chain([] if first is None else [first], compared))
    means = {f"{name}_{where}{group}_mean": images.figures[f"{name}_mean"] for name in ("psnr", "ssim")}
    count = _count([view for view in members if view not in hidden], f"{kind} view")
    note = f"PSNR and SSIM of {count}, inside the {'masks' if views.masked else 'rendered surface: there are no masks'}"
    note += f"; {_count(hidden, 'view')} in which the surface is not seen left out" if hidden else ""
    note += "" if fit.fitted else "; none of the views is among those that were fitted"
    return Report(means, notes=[note], views=images.views)


def _rendered(
    views: PosedViews,
    names: Sequence[str],
    members: Sequence[int],
    render: Callable[[int], Rendering],
    hidden: list[int],
) -> Iterator[RenderedView]:
    """hidden: gets the views in which there is no pixel to compare, since without masks the surface is the mask."""
    for view in members:
        colors, surface = render(view)
        if not views.masked and not surface.any():
            hidden.append(view)
            continue
        yield RenderedView(names[view], colors, views.image(view), views.mask(view) if views.masked else surface)


def _without_masks(views: PosedViews, names: Sequence[str], fit: FittedViews) -> Report:
    if fit.renderer is None:
        return Report({}, notes=["no PSNR: colours were not fitted; no IoU: there are no masks"])
    return _color_figures(views, names, fit, fit.renderer())


def _moved_masks(offset: float) -> str:
    way = "in" if offset > 0 else "out"
    return (
        f"the fit moved all masks {abs(offset):g} pixels of its images {way}wards; these figures are against the masks "
        "as they are"
    )


def _count(members: Sequence[int], what: str) -> str:
    return f"{len(members)} {what}{'s' if len(members) > 1 else ''}"
