"""`isopts render`: images of a fit, from the cameras of its photographs, from others, or all around."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from isopts.cli.options import Device, Json, Quiet
from isopts.cli.threads import Threads
from isopts.cli.views_options import Format

if TYPE_CHECKING:
    from isopts.fit.fitted.fitted_field import FittedField
    from isopts.fit.fitted.render_cameras import RenderCameras

Checkpoint = Annotated[
    Path, typer.Argument(metavar="RUN", help="Run folder or checkpoint file of a fit.", show_default=False)
]
Folder = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write.", show_default=False)]
ViewsDir = Annotated[
    Path | None,
    typer.Option("--views", metavar="DIR", help="Through the cameras of a folder of posed images.", show_default=False),
]
OrbitCount = Annotated[
    int | None,
    typer.Option("--orbit", metavar="N", min=2, max=3600, help="Through N cameras on a circle.", show_default=False),
]
Video = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="--orbit: name of the video in DIR, GIF or MP4.", show_default="orbit.gif"),
]
Size = Annotated[
    tuple[int, int] | None,
    typer.Option("--size", metavar="W H", help="Pixels of an image.", show_default="as the cameras"),
]
Only = Annotated[
    str | None,
    typer.Option("--only", metavar="N,N,...", help="Some of the cameras, counted from 0.", show_default="all"),
]


def render(
    run: Checkpoint,
    output: Folder,
    views_dir: ViewsDir = None,
    view_format: Format = None,
    orbit: OrbitCount = None,
    video: Video = None,
    size: Size = None,
    only: Only = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace images that were rendered before.")] = False,
    device: Device = "auto",
    threads: Threads = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Render a fit of images: colours, normals, depths and masks as PNG; with --orbit also a video of the colours.

    The cameras are those of the fitted images, those of --views, in the same world, or --orbit: a circle at the fitted
    cameras' median distance and elevation, with a wider angle where the object would be cut off. A fit of a scan has
    neither cameras nor colours: give --orbit or --views; its colours are grey, lit from the eye. Specks beside the
    object, below a hundredth of its volume, are left out.

    DIR gets color/, normals/ (x, y, z of the world from -1 to 1 as 0 to 255), depth/ (16 bits, along the optical axis,
    in counts of `depth_unit` world units), mask/, all 0 on the background; and render.json with unit and cameras.

    Example:  isopts render runs/scan65 -o scan65_rendered

    Example:  isopts render runs/scan65 --views scan65 --only 0,24,48 --size 800 600 -o scan65_views

    Example:  isopts render runs/scan65 --orbit 60 --video orbit.mp4 -o scan65_orbit
    """
    import json

    from rich.console import Console
    from rich.progress import Progress

    from isopts.cli.device import choose_device
    from isopts.cli.threads import use_threads
    from isopts.cli.views_options import view_numbers
    from isopts.fit.fitted.fitted_field import FittedField
    from isopts.fit.fitted.render_folder import RenderFolder
    from isopts.fit.fitted.rendering import render_images

    _check(views_dir, view_format, orbit, video, size)
    chosen = view_numbers("--only", only)
    fitted = FittedField.load(run, choose_device(device))
    views = _cameras(fitted, views_dir, view_format, orbit, size)
    views = views if chosen is None else views.select(chosen)
    folder = RenderFolder(output, views.names, None if orbit is None else video or "orbit.gif")
    folder.check(overwrite)
    use_threads(threads, fitted.decoder)
    console = Console(stderr=True)
    with Progress(console=console, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("views", total=len(views.names))
        record = render_images(fitted, views, folder, lambda: progress.advance(task))
    if as_json:
        summary = {"path": str(output), "video": folder.video and str(output / folder.video)}
        print(json.dumps({**summary, "views": len(views.names), "depth_unit": record["depth_unit"]}))
    else:
        print(f"{output}: {len(views.names)} views" + (f", {folder.video}" if folder.video else ""))


def _check(
    views_dir: Path | None, view_format: str | None, orbit: int | None, video: str | None, size: tuple[int, int] | None
) -> None:
    """Raise InputError where options contradict each other, or cannot be followed."""
    from isopts.data.video import require_video
    from isopts.errors import InputError

    if views_dir is not None and orbit is not None:
        raise InputError("--views and --orbit both say where the cameras are; give one of them.")
    if view_format is not None and views_dir is None:
        raise InputError("--format says how --views is read; give --views too.")
    if video is not None and orbit is None:
        raise InputError("--video names the video of --orbit; give --orbit too.")
    if video is not None and Path(video).name != video:
        raise InputError(f"--video '{video}': expected a name without folders; it is written into -o.")
    if size is not None and not all(16 <= side <= 16384 for side in size):
        raise InputError(f"--size {size[0]} {size[1]}: expected a width and a height from 16 to 16384 pixels.")
    if video is not None:
        require_video(Path(video))


def _cameras(
    fitted: "FittedField",
    views_dir: Path | None,
    view_format: str | None,
    orbit: int | None,
    size: tuple[int, int] | None,
) -> "RenderCameras":
    """Those that the options ask for."""
    from isopts.cli.views_options import views_settings
    from isopts.config import config_from_overrides
    from isopts.data.views import ViewsConfig
    from isopts.fit.fitted.render_cameras import fitted_cameras, folder_cameras, orbit_cameras

    if orbit is not None:
        return orbit_cameras(fitted, orbit, size)
    views = None
    if views_dir is not None:  # masks by colour need no files: none is looked for, and none is needed
        config = config_from_overrides(ViewsConfig, views_settings(view_format, "black", None, False, None))
        views = folder_cameras(fitted, views_dir, config)
    views = views or fitted_cameras(fitted)
    return views if size is None else views.resized(size)
