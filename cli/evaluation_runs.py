"""Runs of fit-mvr as `isopts evaluate` sees them: with the images that they were fitted to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from isopts.config import config_from_dict
from isopts.data.posed_views import PosedViews
from isopts.data.views import read_views
from isopts.errors import InputError
from isopts.evaluate.fitted_views import FittedViews, Rendering
from isopts.fit.fitted.fitted_field import FittedField
from isopts.fit.fitted.refined_views import fitted_numbers, with_refined_cameras
from isopts.fit.fitted.view_preview import render_fitted, sampled_copy
from isopts.fit.views.config import DataConfig
from isopts.fit.views.mask_offset import applied_mask_offset
from isopts.run.checkpoint import load_checkpoint
from isopts.run.folder import RunFolder

REFERENCE_FILE = "reference.ply"


@dataclass(frozen=True)
class RunImages:
    """views: of the folder of the images, with the cameras that the run refined. fit: what the run did with them.
    reference: beside them, if there is one. decoder: of the field, by which threads are shared."""

    views: PosedViews
    fit: FittedViews
    reference: Path | None
    decoder: str


def is_run_of_images(path: Path) -> bool:
    """A run folder of fit-mvr."""
    record = RunFolder(path).read_record() if path.is_dir() else None
    return record is not None and record.command == "fit-mvr"


def reference_beside(images: Path) -> Path | None:
    """The exact surface beside posed images; `images`: their folder or camera file."""
    beside = (images if images.is_dir() else images.parent) / REFERENCE_FILE
    return beside if beside.is_file() else None


def read_run_images(run: Path, moved_to: Path | None, mask_from: str, device: torch.device) -> RunImages:
    """The images of a run of fit-mvr; decodes none yet.

    Args:
        moved_to: where they are now, None: where they were. mask_from: other masks than the run's, unless `auto`.

    Raises:
        InputError: there is no checkpoint, or the images are gone or cannot be read. ConfigError: a damaged checkpoint.
    """
    folder = RunFolder(run)
    if not folder.checkpoint.is_file():
        raise InputError(
            f"The run '{run}' has no {folder.checkpoint.name}, from which its images are rendered; continue it with "
            "fit-mvr --resume."
        )
    checkpoint = load_checkpoint(run)
    fitted = FittedField.restore(checkpoint, str(run), device)
    if fitted.appearance is None or "data" not in checkpoint.config:
        raise InputError(f"'{folder.checkpoint}' is of no fit of images; expected one of fit-mvr.")
    data = _data_config(checkpoint.config["data"], mask_from, str(folder.checkpoint))
    images = moved_to or Path(data.path or "")
    if data.path is None or not images.exists():
        raise InputError(f"The images of the run '{run}' are not in '{images}' any more; name their folder by --views.")
    views = read_views(images, data.views)
    numbers = fitted_numbers(fitted, views.cameras)
    views = with_refined_cameras(fitted, views)
    fit = _what_was_fitted(fitted, views, numbers, data.holdout)
    fit = replace(fit, mask_offset=applied_mask_offset(checkpoint, str(folder.checkpoint)))
    return RunImages(views, fit, reference_beside(images), fitted.decoder)


def _data_config(stored: Mapping[str, Any], mask_from: str, source: str) -> DataConfig:
    config = config_from_dict(DataConfig, stored, source)
    if mask_from == "auto":
        return config
    changed = config.model_dump(mode="json")
    if changed["views"]["masks"]["source"] != mask_from:  # whose threshold and sides are other ones
        changed["views"]["masks"] = {"source": mask_from}
    return config_from_dict(DataConfig, changed, "The command line")


def _what_was_fitted(
    fitted: FittedField, views: PosedViews, numbers: list[int], holdout: tuple[int, ...]
) -> FittedViews:
    """numbers: of the views' cameras in the checkpoint, -1: not there, since fit-mvr leaves out what contradicts the
    other views. Where none is there, these are other images of the object, and all of them are held out."""
    known = [view for view, number in enumerate(numbers) if number >= 0]
    held_out = tuple(view for view in holdout if view < len(views)) if known else tuple(range(len(views)))
    seen = tuple(view for view in known if view not in held_out)
    return FittedViews(seen, held_out, (lambda: _renderer(fitted, views, numbers)) if fitted.has_colors else None)


def _renderer(fitted: FittedField, views: PosedViews, numbers: list[int]) -> Callable[[int], Rendering]:
    grid, exposures = sampled_copy(fitted), fitted.appearance.exposures

    def render(view: int) -> Rendering:
        camera = views.cameras.select([view]).in_frame(fitted.frame).to(fitted.device, torch.float32)
        found = render_fitted(fitted, camera, grid)
        colors = found.colors
        if exposures is not None and numbers[view] >= 0:  # as the photograph that was fitted shows them
            number = torch.tensor(numbers[view], device=colors.device)
            colors = torch.where(found.mask[..., None], exposures(colors, number).clamp(0, 1), colors)
        return Rendering(colors.cpu().numpy(), found.mask.cpu().numpy())

    return render
