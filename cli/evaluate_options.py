"""Options of `isopts evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PRED... [REF]",
        help="Meshes, clouds or run folders, and last the mesh or cloud to compare with. With --views or --dtu, REF "
        "may be left out; a folder at the end is then no REF but a prediction.",
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
        help="Posed images: IoU with their masks; a reference.ply in DIR is REF where none is given.",
        show_default=False,
    ),
]
MaskFrom = Annotated[str, typer.Option("--mask-from", help="--views: dir, alpha, black, white or auto.")]
Cull = Annotated[bool, typer.Option("--cull", help="--views: first remove what the widened masks exclude.")]
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
