"""`isopts make-views`: posed images of a mesh or of a shape whose surface is known exactly."""

from pathlib import Path
from typing import Annotated

import typer

from isopts.cli.options import Quiet, Seed
from isopts.cli.threads import Threads

Source = Annotated[
    str,
    typer.Argument(
        metavar="MESH|SHAPE",
        help="PLY, OBJ, STL, GLB or OFF file; or angel, bracket, compressor, flange, skull, sphere, torus or vase.",
        show_default=False,
    ),
]
Folder = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write.", show_default=False)]
Size = Annotated[tuple[int, int], typer.Option("--size", metavar="W H", help="Pixels of an image.")]
Distance = Annotated[
    tuple[float, float], typer.Option("--distance", metavar="MIN MAX", help="Of the cameras, in radii of the object.")
]
Texture = Annotated[bool, typer.Option("--texture/--no-texture", help="Procedural texture; else the mesh's colours.")]
Fixed = Annotated[bool, typer.Option("--fixed-lights", help="The same lights in every view, instead of new ones.")]
HalfSphere = Annotated[bool, typer.Option("--half-sphere", help="Cameras above the object's middle only.")]


def make_views(
    source: Source,
    output: Folder,
    views: Annotated[int, typer.Option(min=3, help="Number of images.")] = 49,
    size: Size = (640, 480),
    distance: Distance = (3.0, 3.6),
    half_sphere: HalfSphere = False,
    up: Annotated[str, typer.Option(help="Axis that points upwards: x, y or z.")] = "z",
    texture: Texture = True,
    lights: Annotated[str, typer.Option(help="Three coloured lights: directional or point.")] = "directional",
    fixed_lights: Fixed = False,
    seed: Seed = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace views that were made before.")] = False,
    threads: Threads = 0,
    quiet: Quiet = False,
) -> None:
    """Photograph a mesh or a synthetic shape from all around: images, masks, depths, cameras, and the exact surface.

    DIR gets image/ and mask/ (PNG), depth/ (NPY, float32: along the optical axis, 0 where nothing is), cameras.npz in
    IDR's convention, and reference.ply, all in the mesh's own coordinates. The lights change from view to view, as in
    the paper's data; fixed directional ones give a point the same colour in every view.

    Example:  isopts make-views compressor -o views --views 49

    Example:  isopts make-views bunny.ply -o bunny_views --up y --size 800 600 --fixed-lights
    """
    from isopts.cli.views_folder import ViewsFolder
    from isopts.cli.views_shoot import ShootConfig, shoot_views
    from isopts.cli.views_subject import read_subject
    from isopts.config import config_from_dict

    settings = {
        "cameras": {"views": views, "size": size, "distance": distance, "half_sphere": half_sphere, "up": up},
        "texture": texture,
        "lights": lights,
        "fixed_lights": fixed_lights,
        "seed": seed,
    }
    config = config_from_dict(ShootConfig, settings, "The command line")
    folder = ViewsFolder(output, views)
    folder.check(overwrite)
    subject = read_subject(source)
    folder.start({"source": source, **config.model_dump(mode="json")})
    shoot_views(subject, config, folder, threads, quiet)
    print(f"{output}: {views} views of {size[0]}x{size[1]} pixels")
