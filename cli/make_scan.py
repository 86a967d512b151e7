"""`isopts make-scan`: a synthetic scan and its exact surface."""

from pathlib import Path
from typing import Annotated

import typer

from isopts.cli.options import Output, Seed
from isopts.errors import InputError


def make_scan(
    shape: Annotated[
        str, typer.Argument(help="angel, bracket, compressor, flange, skull, sphere, torus or vase; longest side 1.5.")
    ],
    output: Output,
    points: Annotated[int, typer.Option(min=1, help="Number of points, outliers included.")] = 60_000,
    noise: Annotated[float, typer.Option(min=0, help="Standard deviation of every coordinate.")] = 0.005,
    normal_noise: Annotated[float, typer.Option(min=0, help="Standard deviation added to the unit normals.")] = 0.2,
    outliers: Annotated[float, typer.Option(min=0, max=0.99, help="Share of points that are anywhere.")] = 0.02,
    flipped: Annotated[float, typer.Option(min=0, max=1, help="Share of normals that point inwards.")] = 0.0,
    no_normals: Annotated[bool, typer.Option("--no-normals", help="Leave the normals out.")] = False,
    density: Annotated[
        float, typer.Option(min=1, max=100, metavar="RATIO", help="Times as dense at one end as at the other.")
    ] = 1.0,
    seed: Seed = 0,
    reference: Annotated[Path | None, typer.Option(help="Also write the exact surface as a mesh.")] = None,
) -> None:
    """Write a synthetic scan with noise and outliers, to try the other commands on.

    Example:  isopts make-scan flange -o scan.ply --reference exact.ply

    Example:  isopts make-scan bracket -o scan.ply --noise 0.01 --flipped 0.1 --density 10
    """
    from isopts.data.meshes import write_mesh
    from isopts.data.points import write_points
    from isopts.data.synthetic import ScanConfig, make_scan, reference_mesh
    from isopts.data.synthetic_shapes import SHAPES
    from isopts.run.atomic import replacing

    if shape not in SHAPES:
        raise InputError(f"There is no shape '{shape}'; expected one of {', '.join(SHAPES)}.")
    config = ScanConfig(
        points=points,
        noise=noise,
        normal_noise=normal_noise,
        outliers=outliers,
        flipped=flipped,
        normals=not no_normals,
        density=density,
        seed=seed,
    )
    cloud = make_scan(SHAPES[shape], config)
    comment = f"isopts make-scan {shape}: noise {noise}, outliers {outliers}, seed {seed}"
    with replacing(output) as path:
        write_points(path, cloud.points, cloud.normals, comments=[comment])
    print(f"{output}: {len(cloud)} points")
    if reference is not None:
        mesh = reference_mesh(SHAPES[shape])
        with replacing(reference) as path:
            write_mesh(path, mesh, f"isopts make-scan {shape}: exact surface")
        print(f"{reference}: {len(mesh.faces)} faces")
