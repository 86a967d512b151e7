"""Options that say how posed images are read; `isopts check` and `isopts fit-mvr` share them."""

from pathlib import Path
from typing import Annotated, Any

import typer

from isopts.errors import InputError

Views = Annotated[
    Path,
    typer.Argument(metavar="VIEWS_DIR", help="Folder of posed images, or its camera file.", show_default=False),
]
OptionalViews = Annotated[
    Path | None,
    typer.Argument(
        metavar="[VIEWS_DIR]",
        help="Folder of posed images, or its camera file; else `data.path` of the configuration.",
        show_default=False,
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="idr (also DTU, NeuS), transforms, colmap, middlebury or data-dict.",
        show_default="auto: by the files",
    ),
]
MaskFrom = Annotated[
    str | None,
    typer.Option(
        "--mask-from",
        help="dir, alpha, black or white (the background), none, or auto: dir, else alpha.",
        show_default="auto",
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--mask-threshold",
        help="black, white: least difference from the background, 0 ... 1.",
        show_default="0.1",
    ),
]
InvertMasks = Annotated[bool, typer.Option("--invert-masks", help="Masks are black on the object.")]
NoMasks = Annotated[
    bool,
    typer.Option(
        "--no-masks", help="As --mask-from none: the object is what is in the region of --sphere, scale_mat or points."
    ),
]
Prior = Annotated[
    Path | None,
    typer.Option(
        "--prior",
        metavar="POINTS",
        help="Points on the surface, some of them wrong: they steer the fit, and are the region without masks.",
        show_default="with --no-masks COLMAP's",
    ),
]
SphereOption = Annotated[
    tuple[float, float, float, float] | None,
    typer.Option("--sphere", metavar="X Y Z R", help="Region of interest in world units.", show_default=False),
]
Holdout = Annotated[
    str | None,
    typer.Option(
        "--holdout",
        metavar="N,N,...",
        help="Views to compare with instead of fitting them, from 0.",
        show_default=False,
    ),
]


def view_numbers(option: str, text: str | None) -> list[int] | None:
    """The views that an option names, such as 0,10,20. Raises InputError."""
    if text is None:
        return None
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise InputError(f"{option} {text}: expected numbers of views, such as 0,10,20.") from None


def views_settings(
    view_format: str | None,
    mask_from: str | None,
    mask_threshold: float | None,
    invert_masks: bool,
    sphere: tuple[float, float, float, float] | None,
    no_masks: bool = False,
) -> dict[str, Any]:
    """Dotted key of isopts.data.views.ViewsConfig -> value, for the options that were given.

    Raises InputError for --no-masks, or --mask-from none, together with masks.
    """
    unmasked = "--no-masks" if no_masks else "--mask-from none" if mask_from == "none" else None
    if unmasked and (mask_from not in (None, "none") or mask_threshold is not None or invert_masks):
        raise InputError(f"{unmasked} is given together with options about masks; leave one or the other out.")
    given = {
        "format": view_format,
        "masks.source": "none" if no_masks else mask_from,
        "masks.threshold": mask_threshold,
        "masks.invert": invert_masks or None,
        "sphere": list(sphere) if sphere else None,
    }
    return {key: value for key, value in given.items() if value is not None}
