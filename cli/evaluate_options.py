"""Options of `isopts evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PRED... [REF]",
        help="Meshes, clouds or run folders, and last the mesh or cloud to compare with. REF may be left "
        "out with --views or --dtu, and for runs of fit-mvr; a folder at the end is then no REF but a prediction.",
        show_default=False,
    ),
]
Thresholds = Annotated[
    list[float] | None,
    typer.Option(
        "--fscore",
        min=0,
        metavar="T",
        help="F-score at distance T in the unit of the files; repeatable.",
        show_default=False,
    ),
]
Csv = Annotated[Path | None, typer.Option("--csv", help="Also write one row a prediction to FILE.", metavar="FILE")]
ViewsDir = Annotated[
    Path | None,
    typer.Option(
        "--views",
        metavar="DIR",
        help="Posed images: IoU with their masks; a reference.ply in DIR is REF where none is given. For a run of "
        "fit-mvr: where its images are now.",
        show_default=False,
    ),
]
MaskFrom = Annotated[str, typer.Option("--mask-from", help="Masks: dir, alpha, black, white, none or auto.")]
Cull = Annotated[bool, typer.Option("--cull", help="First remove what the masks, widened, exclude.")]
CullPixels = Annotated[
    float | None,
    typer.Option("--cull-pixels", min=0, help="--cull: how much wider.", show_default="1/32 of the image's width"),
]
Dtu = Annotated[
    Path | None,
    typer.Option(
        "--dtu",
        metavar="DIR",
        help="DTU's protocol, in mm; DIR holds ObsMask and Points/stl of its archives.",
        show_default=False,
    ),
]
ScanNumber = Annotated[
    int | None,
    typer.Option("--scan", min=1, help="--dtu: number of the scan.", show_default="digits of the run's input scan65"),
]
