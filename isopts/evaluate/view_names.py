"""What reports call views."""

from isopts.data.posed_views import PosedViews


def view_names(views: PosedViews) -> list[str]:
    """File names of the images; their paths where file names repeat."""
    unique = len(set(views.names)) == len(views)
    return views.names if unique else [str(posed.image) for posed in views.photographs]
