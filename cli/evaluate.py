"""`isopts evaluate`: how far are surfaces from a reference?"""

from typing import Annotated

import typer

from isopts.cli.evaluate_options import Csv, Cull, CullPixels, Dtu, MaskFrom, Paths, ScanNumber, Thresholds, ViewsDir
from isopts.cli.options import Device, Json, Seed
from isopts.cli.threads import Threads


def evaluate(
    paths: Paths,
    chamfer: Annotated[bool, typer.Option("--chamfer", help="Mean and mean squared distances.")] = False,
    normals: Annotated[bool, typer.Option("--normals", help="Normal consistency.")] = False,
    fscore: Thresholds = None,
    hausdorff: Annotated[bool, typer.Option("--hausdorff", help="Largest distances.")] = False,
    point_to_face: Annotated[bool, typer.Option("--point-to-face", help="From PRED's points to REF's faces.")] = False,
    uniformity: Annotated[bool, typer.Option("--uniformity", help="How evenly PRED's points are spread.")] = False,
    samples: Annotated[int, typer.Option("--samples", min=1, help="Points drawn from each mesh.")] = 100_000,
    views_dir: ViewsDir = None,
    mask_from: MaskFrom = "auto",
    cull: Cull = False,
    cull_pixels: CullPixels = None,
    dtu: Dtu = None,
    scan: ScanNumber = None,
    seed: Seed = 0,
    device: Device = "auto",
    threads: Threads = 0,
    as_json: Json = False,
    csv: Csv = None,
) -> None:
    """Compare predicted surfaces with a reference: every figure, or those asked for.

    Distances are exact to triangles, and to the nearest point where there are no faces.
    Accuracy is from PRED to REF, completeness from REF to PRED.
    Without --fscore the thresholds are 0.5 % and 1 % of the diagonal of REF's bounding box.

    A run of fit-mvr needs no REF: its mesh is compared with the masks of its images and with the reference.ply beside
    them, the colours of its checkpoint with the views that were held out (psnr_heldout_mean, ssim_heldout_mean) or, if
    none was, with the fitted ones (psnr_fitted_mean, ...), inside the masks, where background counts as black. A run
    without masks has no IoU; its colours are compared inside the rendered surface (psnr_surface_heldout_mean, ...).

    Other surfaces are compared with masks by --views, and every surface by the protocol of DTU's benchmark with --dtu.

    Example:  isopts evaluate runs/nefertiti

    Example:  isopts evaluate runs/bunny_scan bunny.ply --chamfer --normals

    Example:  isopts evaluate runs/scan65 --views scan65 --cull --dtu SampleSet/MVS_Data
    """
    from rich.console import Console

    from isopts.cli.device import choose_device
    from isopts.cli.evaluation_output import write_reports
    from isopts.cli.evaluation_targets import Asked, choose_targets, split_paths
    from isopts.cli.threads import use_threads
    from isopts.evaluate.files import evaluate_files
    from isopts.evaluate.report import METRICS, EvaluationConfig

    flags = dict(zip(METRICS, (chamfer, normals, bool(fscore), hausdorff, point_to_face, uniformity), strict=True))
    named = tuple(metric for metric, wanted in flags.items() if wanted)
    asked = Asked(named, views_dir, mask_from, cull, cull_pixels, dtu, scan, device, threads)
    use_threads(threads, "grid")
    choose_device(device)  # even where it is not needed, one that is not there is refused
    predictions, reference = split_paths(paths, asked)
    targets = choose_targets(predictions, reference, asked)
    config = EvaluationConfig(metrics=named or METRICS, thresholds=tuple(fscore or ()), samples=samples, seed=seed)
    with Console(stderr=True).status("Comparing"):
        reports = dict(zip(predictions, evaluate_files(predictions, targets, config), strict=True))
    write_reports(reports, targets, config, csv, as_json)
