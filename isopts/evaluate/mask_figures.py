"""How well a mesh fills the masks of posed views, as figures."""

import numpy as np

from isopts.data.posed_views import PosedViews
from isopts.errors import InputError
from isopts.evaluate.report import Report
from isopts.evaluate.silhouettes import silhouette_agreement
from isopts.geometry.triangle_mesh import TriangleMesh

_NAMED = 3  # views in the note


def mask_figures(mesh: TriangleMesh, views: PosedViews) -> Report:
    """IoU of the mesh's projection with every view's mask: their mean and least, and those of each view, of which the
    worst are named in a note. See `silhouette_agreement`.

    Args:
        mesh: in the frame of the cameras.

    Raises:
        InputError: the mesh has no faces; a mask cannot be read.
    """
    if len(mesh.faces) == 0:
        raise InputError("A cloud has no silhouette to compare with masks; give a mesh.")
    agreements = silhouette_agreement(mesh, views.cameras, (views.mask(view) for view in range(len(views))))
    names = views.labels
    of_views = {
        name: {f"mask_{figure}": value for figure, value in agreement._asdict().items()}
        for name, agreement in zip(names, agreements, strict=True)
    }
    ious = [agreement.iou for agreement in agreements]
    worst = ", ".join(f"{names[view]} ({ious[view]:.4f})" for view in np.argsort(ious, kind="stable")[:_NAMED])
    figures = {"mask_iou_mean": float(np.mean(ious)), "mask_iou_least": float(np.min(ious))}
    return Report(figures, notes=[f"least IoU with the masks of {worst}"], views=of_views)
