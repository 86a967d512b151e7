"""The surface before the first step of a fit of posed images."""

import torch

from isopts.field.build import Field, build_field
from isopts.fit.cameras.refinement import CameraRefinement, refine_on_start
from isopts.fit.starts.hull import start_as_hull
from isopts.fit.starts.unmasked import start_without_masks
from isopts.fit.views.config import MvrConfig
from isopts.fit.views.prepared_views import PreparedViews

_STARTS_AGAIN = 2  # at most, by refined cameras


def started_field(
    config: MvrConfig,
    given: PreparedViews,
    refinement: CameraRefinement | None,
    weights: torch.Generator,
    generator: torch.Generator,
) -> tuple[Field, str]:
    """A new field on the device of the images, about the object, and a sentence about it, '' for a sphere.

    With a `refinement` of the cameras the views are its: they are refined on the start, which is then made again.

    Args:
        weights: for the network. generator: for everything else.
    """
    views = given if refinement is None else refinement.views
    field, sentence = _started(config, views, weights, generator)
    for _ in range(0 if refinement is None or config.start.init == "sphere" else _STARTS_AGAIN):
        if not refine_on_start(refinement, field, config, generator):
            break
        weights = torch.Generator().manual_seed(config.seed)
        field, sentence = _started(config, refinement.views, weights, generator)
    return field, sentence


def _started(
    config: MvrConfig, views: PreparedViews, weights: torch.Generator, generator: torch.Generator
) -> tuple[Field, str]:
    device = views.images.masks.device
    field = build_field(config.field, weights).to(device)
    start, init = config.start, config.start.init
    if init == "auto":
        init = "depths" if views.silhouettes is None else "hull"
    match init:
        case "hull":
            error = start_as_hull(field, views.silhouettes, start, generator)
            return field, f"It starts as the visual hull, off by {error:.1e}."
        case "depths":
            sentence = start_without_masks(field, views.images, views.prior, views.frame, start.steps, generator)
            return field, sentence
        case _:
            return field, ""
