"""The region of interest of posed views."""

from isopts.data.point_cloud import PointCloud
from isopts.data.posed_views import PosedViews
from isopts.errors import InputError
from isopts.geometry.hull_region import TOLERATED_MAX, hull_region
from isopts.geometry.looked_at import looked_at
from isopts.geometry.points_region import points_region
from isopts.geometry.silhouette_maps import SilhouetteMaps, silhouette_maps
from isopts.geometry.sphere import Sphere

GUESS = "where the cameras look"
"""Where a region was taken from that nothing gave."""

_WRONG_SHARES = (0.05, 0.25)  # of the masks that may be wrong when the masks alone say where the object is


def view_silhouettes(views: PosedViews) -> SilhouetteMaps:
    """Distance maps of all masks; decodes them one after the other. Raises InputError for one that cannot be read."""
    return silhouette_maps(views.mask(view) for view in range(len(views)))


def region_of_interest(views: PosedViews, maps: SilhouetteMaps) -> Sphere:
    """The sphere that `--sphere` or the cameras' file gives, else the one around the visual hull of the masks.

    Raises:
        InputError: the masks contradict each other.
    """
    if views.region is not None:
        return views.region
    few, many = (min(int(share * len(views)), TOLERATED_MAX) for share in _WRONG_SHARES)
    try:
        return hull_region(views.cameras, maps, few)
    except InputError:
        return hull_region(views.cameras, maps, many)


def region_without_masks(views: PosedViews, points: PointCloud | None) -> tuple[Sphere, str]:
    """The sphere that `--sphere` or the cameras' file gives, else the one around `points` on the surface, else the one
    that the cameras look at; and where it was taken from.

    Raises:
        InputError: there is nothing of these, or the points are not where the images look.
    """
    if views.region is not None:
        return views.region, "the cameras' file"
    if points is not None:
        return points_region(points.points, views.cameras), "the points"
    if (guess := looked_at(views.cameras)) is not None:
        return guess, GUESS
    raise InputError(
        "Without masks nothing says where the object is: there is no scale_mat in a cameras' file and no points3D "
        "of COLMAP, and the cameras look at no common place; give --sphere x y z radius, or points on the surface with "
        "--prior points.ply."
    )


def guess_note(region: Sphere) -> str:
    """For the user, of a region that was guessed."""
    x, y, z = region.center
    return (
        f"The object is looked for where all cameras look, in the sphere {x:.4g} {y:.4g} {z:.4g} {region.radius:.4g}; "
        "--sphere x y z radius gives another place, and a size that fits."
    )
