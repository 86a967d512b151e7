"""Mistakes in posed views that would spoil a fit, found before it."""

from isopts.data.masks import mask_problem
from isopts.data.on_threads import map_on_threads
from isopts.data.posed_views import PosedViews
from isopts.errors import InputError
from isopts.geometry.frustum import sees_sphere
from isopts.geometry.sphere import Sphere


def mask_problems(views: PosedViews, threads: int = 1) -> dict[int, str]:
    """View -> a sentence about its mask: missing, of another size, empty, full or inverted. Decodes all masks, if there
    are any."""
    if not views.masked:
        return {}

    def problem(view: int) -> str | None:
        try:
            return mask_doubt(views, view)
        except InputError as error:
            return str(error)

    found = map_on_threads(problem, range(len(views)), threads)
    return {view: sentence for view, sentence in enumerate(found) if sentence is not None}


def mask_doubt(views: PosedViews, view: int) -> str | None:
    """A sentence about a mask that is empty, full or inverted. Raises InputError for one that cannot be read."""
    problem = mask_problem(views.mask(view))
    return None if problem is None else f"The mask of '{views.mask_name(view)}' {problem}."


def pose_problems(views: PosedViews, region: Sphere) -> dict[int, str]:
    """View -> a sentence about a camera that has nothing of the region in its image."""
    seen = sees_sphere(views.cameras, region).tolist()
    x, y, z = region.center
    where = f"the sphere around the object (centre {x:.4g} {y:.4g} {z:.4g}, radius {region.radius:.4g})"
    return {
        view: f"The camera of '{views.photographs[view].image}' does not see {where}; check its pose, or the sphere."
        for view in range(len(views))
        if not seen[view]
    }


def require_no_problems(problems: dict[int, str]) -> None:
    """Raise the first as an InputError."""
    if problems:
        more = f" ({len(problems) - 1} more like this: see `isopts check`.)" if len(problems) > 1 else ""
        raise InputError(problems[min(problems)] + more)
