"""Points that are known to lie on the surface that posed images show: a file, or those of COLMAP."""

from pathlib import Path

from isopts.data.point_cloud import PointCloud
from isopts.data.points import read_points
from isopts.data.posed_views import PosedViews


def surface_points(views: PosedViews, path: str | Path | None) -> PointCloud | None:
    """The points of the file `path`; without one and without masks those of the images' own format; None: there are
    none. World frame. Masks alone do well, so that COLMAP's points have to be asked for then, as a file.

    Raises:
        InputError: a file that cannot be read, or has too few points.
    """
    if path is not None:
        return read_points(path)[0]
    if views.masked or views.sparse_points is None:
        return None
    points = views.sparse_points()
    return PointCloud(points) if len(points) else None
