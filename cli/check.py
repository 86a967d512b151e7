"""`isopts check`: are these posed images fit for a fit?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isopts.cli import views_options as options
from isopts.cli.options import Json
from isopts.cli.threads import Threads
from isopts.errors import InputError

if TYPE_CHECKING:
    from isopts.cli.views_report import ViewsReport

Picture = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Picture to write.", show_default="<name of VIEWS_DIR>_views.png"),
]


def check(
    views_dir: options.Views,
    view_format: options.Format = None,
    mask_from: options.MaskFrom = None,
    mask_threshold: options.Threshold = None,
    invert_masks: options.InvertMasks = False,
    no_masks: options.NoMasks = False,
    prior: options.Prior = None,
    sphere: options.SphereOption = None,
    holdout: options.Holdout = None,
    output: Picture = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the picture given with -o.")] = False,
    threads: Threads = 0,
    as_json: Json = False,
) -> None:
    """Read posed images and say what a fit would meet: cameras, masks, visual hull, and their agreement.

    The hull is the largest object that all masks allow. Where its projection leaves a mask empty, some other mask, or a
    pose, is wrong. The picture shows cameras and hull, below them the views that agree least: red is mask without
    hull, blue is hull without mask. With --no-masks it shows cameras and region of interest.

    Example:  isopts check scan65

    Example:  isopts check dinoSparseRing --mask-from black -o dino.png

    Example:  isopts check colmap_folder --no-masks
    """
    from isopts.cli.output_file import choose_output
    from isopts.cli.threads import use_threads
    from isopts.cli.views_report import default_picture, inspect_views
    from isopts.config import config_from_overrides
    from isopts.data.pictures import write_picture
    from isopts.data.views import ViewsConfig, read_views

    settings = options.views_settings(view_format, mask_from, mask_threshold, invert_masks, sphere, no_masks)
    config = config_from_overrides(ViewsConfig, settings)
    default = str(default_picture(views_dir))
    target = choose_output(output, default, (".png", ".jpg"), overwrite or output is None)
    use_threads(threads, "grid")
    held_out = options.view_numbers("--holdout", holdout) or []
    report = inspect_views(read_views(views_dir, config), sphere is not None, prior, held_out)
    if report.has_picture:
        write_picture(target, report.picture())
    _print(report, target, as_json)
    if report.problems:
        count = len(report.problems)
        raise InputError(f"{count} of {len(report.views)} views cannot be used; repair or remove them.")


def _print(report: "ViewsReport", picture: Path, as_json: bool) -> None:
    import json

    from isopts.cli.views_table import print_report

    if as_json:
        path = {"picture": str(picture)} if report.has_picture else {}
        print(json.dumps({**report.as_dict(), **path}))
    else:
        print_report(report, picture)
