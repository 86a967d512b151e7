"""`isopts evaluate`: how far are surfaces from a reference?"""

from pathlib import Path
from typing import Annotated

import typer

from isopts.cli.options import Json, Seed

Predictions = Annotated[
    list[Path], typer.Argument(metavar="PRED", help="Mesh, cloud or run folder; one or several.", show_default=False)
]
Reference = Annotated[Path, typer.Argument(metavar="REF", help="Mesh or cloud to compare with.", show_default=False)]
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


def evaluate(
    predictions: Predictions,
    reference: Reference,
    chamfer: Annotated[bool, typer.Option("--chamfer", help="Mean and mean squared distances.")] = False,
    normals: Annotated[bool, typer.Option("--normals", help="Normal consistency.")] = False,
    fscore: Thresholds = None,
    hausdorff: Annotated[bool, typer.Option("--hausdorff", help="Largest distances.")] = False,
    point_to_face: Annotated[bool, typer.Option("--point-to-face", help="From PRED's points to REF's faces.")] = False,
    uniformity: Annotated[bool, typer.Option("--uniformity", help="How evenly PRED's points are spread.")] = False,
    samples: Annotated[int, typer.Option("--samples", min=1, help="Points drawn from each mesh.")] = 100_000,
    seed: Seed = 0,
    as_json: Json = False,
    csv: Csv = None,
) -> None:
    """Compare predicted surfaces with a reference: every figure, or those asked for.

    Distances are exact to triangles, and to the nearest point where there are no faces.
    Accuracy is from PRED to REF, completeness from REF to PRED.
    Without --fscore the thresholds are 0.5 % and 1 % of the diagonal of REF's bounding box.

    Example:  isopts evaluate runs/bunny_scan bunny.ply --chamfer --normals
    """
    from isopts.cli.evaluation_output import print_json, print_table, write_csv
    from isopts.evaluate.files import evaluate_files
    from isopts.evaluate.report import METRICS, EvaluationConfig

    asked = dict(zip(METRICS, (chamfer, normals, bool(fscore), hausdorff, point_to_face, uniformity), strict=True))
    config = EvaluationConfig(
        metrics=tuple(metric for metric in METRICS if asked[metric] or not any(asked.values())),
        thresholds=tuple(fscore or ()),
        samples=samples,
        seed=seed,
    )
    reports = dict(zip(predictions, evaluate_files(predictions, reference, config), strict=True))
    if csv is not None:
        write_csv(csv, reports, reference)
    if as_json:
        print_json(reports, reference, config)
    else:
        print_table(reports, reference)
