"""How far refined cameras are from the given ones, in figures and in a line."""

from collections.abc import Mapping

import torch

from isopts.geometry.camera_corrections import CameraCorrections
from isopts.geometry.cameras import Cameras

_REACH = 0.5  # unit frame: places whose pixels are compared, and the middle


def pixels_between(before: Cameras, after: Cameras) -> float:
    """By which places on the object move in the images: mean over the places, median over the views."""
    return float(_moves(before, after).median())


def _moves(before: Cameras, after: Cameras) -> torch.Tensor:
    """(V,) pixels, of places on the object, which is the unit sphere's."""
    places = torch.cat([torch.zeros(1, 3), _REACH * torch.eye(3), -_REACH * torch.eye(3)]).to(before.rotations)
    return (after.project(places)[0] - before.project(places)[0]).norm(dim=2).mean(dim=1)


def camera_motion(given: Cameras, corrections: CameraCorrections) -> dict[str, float | int]:
    """Median and largest correction of cameras (unit frame) over the views: degrees, per cent of the distance from the
    object, per cent of the focal length, and pixels by which places on the object move in the image. And how many
    views stay as given (`camera_views_as_given`) of all (`camera_views`): too little was found again in them."""
    parts = {
        "rotation_degrees": torch.rad2deg(corrections.rotations.norm(dim=1)),
        "translation_percent": 100 * corrections.translations.norm(dim=1) / given.centers().norm(dim=1),
        "focal_percent": 100 * corrections.log_focals.abs().expm1(),
        "pixels": _moves(given, corrections.applied(given)),
    }
    stay = (corrections.vectors() == 0).all(dim=1)
    counts = {"camera_views": len(stay), "camera_views_as_given": int(stay.sum())}
    return counts | {
        f"camera_{name}_{kind}": float(sizes.median() if kind == "median" else sizes.max())
        for name, sizes in parts.items()
        for kind in ("median", "max")
    }


def describe_motion(figures: Mapping[str, float]) -> str:
    """A line of `camera_motion`."""

    def both(name: str, digits: int) -> str:
        return f"{figures[f'camera_{name}_median']:.{digits}f} ({figures[f'camera_{name}_max']:.{digits}f})"

    count, stay = figures["camera_views"], figures["camera_views_as_given"]
    few = "too little of the surface was found again in their images"
    if stay == count:
        return f"all {count} as given: {few}"
    return (
        f"refined, median (largest): turned {both('rotation_degrees', 2)} degrees, moved "
        f"{both('translation_percent', 2)} % of the distance, focal length {both('focal_percent', 2)} %, "
        f"together {both('pixels', 1)} pixels" + (f"; {stay} of {count} as given: {few}" if stay else "")
    )
