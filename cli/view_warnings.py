"""What `isopts check` warns of: sentences that say what was found and where to look."""

from collections.abc import Sequence

import numpy as np
import torch

from isopts.data.posed_views import PosedViews
from isopts.evaluate.silhouettes import SilhouetteAgreement
from isopts.geometry.cameras import Cameras
from isopts.geometry.triangle_mesh import TriangleMesh

_LOW_IOU = 0.9
_CUT_SHARE, _CUT_RATIO = 0.02, 4.0  # of the hull, and against the median view: what makes an outlier
_FEW_VIEWS = 8
_ONE_SIDED = 0.5  # length of the mean direction to the cameras: 0 all around, 1 from one place
_SMALL_HULL = 0.25  # of the region's radius
_NAMES_MAX = 4


def warn_of_cameras(cameras: Cameras, masked: bool = True) -> list[str]:
    """About how many they are and where they stand; `cameras` are in the unit frame of the region."""
    warnings = []
    if len(cameras) < _FEW_VIEWS:
        warnings.append(f"{len(cameras)} views leave much of the shape open; {_FEW_VIEWS} or more are better.")
    middle = torch.nn.functional.normalize(cameras.centers(), dim=1).mean(dim=0).norm()
    if middle > _ONE_SIDED:
        other_side = "only bounded by silhouettes" if masked else "closed by a guess"
        warnings.append(f"The cameras stand on one side of the object; its other side is {other_side}.")
    return warnings


def warn_of_cuts(views: PosedViews, cuts: torch.Tensor) -> list[str]:
    """About views that cut off much more than the others; cuts: (V,) of `cut_shares`."""
    least = max(_CUT_SHARE, _CUT_RATIO * float(cuts.median()))
    return [
        f"The view '{views.labels[view]}' cuts off {100 * float(cuts[view]):.0f} % of what all other views see; look "
        f"at its mask '{views.mask_name(view)}' and at its pose."
        for view in torch.argsort(cuts, descending=True).tolist()
        if cuts[view] > least
    ]


def warn_of_hull(views: PosedViews, hull: TriangleMesh, agreements: Sequence[SilhouetteAgreement]) -> list[str]:
    """About masks that the hull (in the unit frame of the region) does not fill, its size, and objects that are cut."""
    warnings = []
    low = sorted((agreement.iou, view) for view, agreement in enumerate(agreements) if agreement.iou < _LOW_IOU)
    if low:
        names = _some([views.labels[view] for _, view in low])
        warnings.append(f"{len(low)} masks agree badly with the others (IoU below {_LOW_IOU}), worst first: {names}.")
    reach = float(np.linalg.norm(hull.vertices, axis=1).max())
    if reach > 1:
        warnings.append("The hull reaches out of the region of interest, where a fit is blind; enlarge it by --sphere.")
    if reach < _SMALL_HULL:
        warnings.append(
            f"The hull fills {100 * reach:.0f} % of the region's radius; a smaller --sphere keeps more detail."
        )
    cropped = [views.labels[view] for view in range(len(views)) if _touches_border(views.mask(view))]
    if cropped:
        warnings.append(f"In {len(cropped)} images the object reaches the border: {_some(cropped)}.")
    return warnings


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES_MAX]) + ", ..." * (len(names) > _NAMES_MAX)


def _touches_border(mask: np.ndarray) -> bool:
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())
