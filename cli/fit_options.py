"""Options of `isopts fit-points` and `isopts fit-mvr`."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Preset(str, Enum):
    """Named configurations, from fast to accurate."""

    PREVIEW = "preview"
    DEFAULT = "default"
    FINE = "fine"

    @property
    def config(self) -> str:
        """Name of the configuration."""
        return {"preview": "points_preview", "default": "points_fast", "fine": "points_fine"}[self.value]


Scan = Annotated[Path, typer.Argument(help="Point cloud: PLY, XYZ, NPY, or the vertices of an OBJ or OFF.")]
RunOutput = Annotated[
    Path | None, typer.Option("--output", "-o", help="Run folder.", show_default="runs/<name of the scan>")
]
PresetName = Annotated[
    Preset | None,
    typer.Option("--preset", help="preview: a mesh in seconds; fine: more detail, slower.", show_default="default"),
]
Config = Annotated[
    str | None,
    typer.Option("--config", help="Instead of a preset: a configuration's name or YAML file.", show_default=False),
]
MvrConfigName = Annotated[
    str | None, typer.Option("--config", help="A configuration's name or YAML file.", show_default="mvr_fast")
]
BudgetSeconds = Annotated[
    float | None,
    typer.Option(
        "--budget",
        min=1,
        metavar="SECONDS",
        help="Time from the command to the mesh, instead of a number of steps; schedules follow the clock.",
        show_default=False,
    ),
]
RefineCameras = Annotated[
    bool, typer.Option("--refine-cameras", help="Correct poses and focal lengths of the fitted views by small amounts.")
]
Decoder = Annotated[str | None, typer.Option("--decoder", help="Network: grid, siren or sdf.", show_default=False)]
EdgeAware = Annotated[bool, typer.Option("--ear", help="Up-sample the iso-points towards edges.")]
OpenSurface = Annotated[bool, typer.Option("--open", help="Cut the surface where the scan ends; no lids.")]
DenoiseNormal = Annotated[bool, typer.Option("--denoise-normal", help="Filter the scan's normals before the fit.")]
OffNormalLoss = Annotated[
    bool, typer.Option("--use-off-normal-loss", help="Early on, turn gradients along the nearest normals.")
]
SalLoss = Annotated[bool, typer.Option("--use-sal-loss", help="Also fit the unsigned distance away from the scan.")]
ExitAfter = Annotated[
    float | None,
    typer.Option(
        "--exit-after",
        min=0,
        metavar="SECONDS",
        help="End the fitting steps after this time; preparation, final colours, mesh and iso-points come on top.",
        show_default=False,
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the run in the run folder.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the run in the run folder.")]
FitSeed = Annotated[
    int | None, typer.Option("--seed", min=0, max=2**63 - 1, help="Seed of every random choice.", show_default="0")
]
