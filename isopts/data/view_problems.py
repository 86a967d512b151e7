"""Mistakes in posed views that would spoil a fit, found before it."""

from isopts.data.masks import mask_problem
from isopts.data.posed_views import PosedViews
from isopts.errors import InputError
from isopts.geometry.frustum import sees_sphere
from isopts.geometry.sphere import Sphere


def mask_problems(views: PosedViews) -> dict[int, str]:
    """View -> a sentence about its mask: missing, of another size, empty, full or inverted. Decodes all masks, if there
    are any."""
    problems = {}
    if not views.masked:
        return problems
    for view in range(len(views)):
        try:
            problem = mask_doubt(views, view)
        except InputError as error:
            problem = str(error)
        if problem is not None:
            problems[view] = problem
    return problems


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
