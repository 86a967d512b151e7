"""A folder of posed images with the cameras that a fit refined."""

import torch

from isopts.data.posed_views import PosedViews
from isopts.fit.fitted.fitted_field import FittedField
from isopts.geometry.cameras import Cameras

_SAME_CAMERA = 1e-4  # unit frame: a checkpoint's cameras are rounded


def fitted_numbers(fitted: FittedField, cameras: Cameras) -> list[int]:
    """For each of the given `cameras` (world frame) its number among the fitted views of `fitted`; -1: not fitted."""
    here = cameras.in_frame(fitted.frame)
    there = fitted.appearance.given_cameras.to("cpu", here.rotations.dtype)
    distances, turns = here.apart_from(there)
    differences, numbers = torch.maximum(distances / there.centers().norm(dim=1), turns).min(dim=1)
    return torch.where(differences < _SAME_CAMERA, numbers, -1).tolist()


def with_refined_cameras(fitted: FittedField, views: PosedViews) -> PosedViews:
    """`views` as the fit saw them: cameras that it was given and refined are refined, others stay."""
    corrections = fitted.appearance.corrections
    if corrections is None:
        return views
    numbers = fitted_numbers(fitted, views.cameras)
    known = [view for view, number in enumerate(numbers) if number >= 0]
    if not known:
        return views
    given = views.cameras.select(known).in_frame(fitted.frame)
    refined = corrections.select([numbers[view] for view in known]).applied(given)
    return views.with_cameras(views.cameras.replaced(known, refined.out_of_frame(fitted.frame)))
