"""Compare a predicted surface with a reference."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import torch
from pydantic import Field

from isopts.config import StrictModel
from isopts.evaluate import metrics
from isopts.evaluate.distances import directed_distances
from isopts.evaluate.metrics import Figures
from isopts.evaluate.shapes import Samples, Shape, as_shape, sample_shape
from isopts.geometry.triangle_mesh import TriangleMesh

Metric = Literal["chamfer", "normals", "fscore", "hausdorff", "point_to_face", "uniformity"]
METRICS: tuple[Metric, ...] = ("chamfer", "normals", "fscore", "hausdorff", "point_to_face", "uniformity")
RELATIVE_THRESHOLDS = (0.005, 0.01)  # of the reference's diagonal, where the caller names no threshold


class EvaluationConfig(StrictModel):
    """What to measure and how finely."""

    metrics: tuple[Metric, ...] = Field(METRICS, description="which figures to compute")
    thresholds: tuple[float, ...] = Field(
        (), description="of the F-score, unit of the files; empty: 0.5 % and 1 % of the reference's diagonal"
    )
    samples: int = Field(100_000, ge=1, description="points drawn from each mesh, and at most taken from each cloud")
    seed: int = Field(0, ge=0, description="of the samples")


@dataclass(frozen=True)
class Report:
    """Named figures of one prediction; None where the inputs lack what a figure needs (`notes` say what).
    diagonal: of the reference's bounding box, unit of the files, for relative figures; None without a reference.
    views: figures of single views by their names."""

    figures: Figures
    diagonal: float | None = None
    notes: list[str] = field(default_factory=list)
    views: dict[str, Figures] = field(default_factory=dict)

    @staticmethod
    def joined(reports: Iterable["Report"]) -> "Report":
        """What several comparisons of one prediction say together."""
        figures, diagonal, notes, views = {}, None, [], {}
        for report in reports:
            figures |= report.figures
            diagonal = diagonal if report.diagonal is None else report.diagonal
            notes += report.notes
            for name, of_view in report.views.items():
                views[name] = views.get(name, {}) | of_view
        return Report(figures, diagonal, notes, views)


@torch.no_grad()
def evaluate(prediction: TriangleMesh, reference: TriangleMesh, config: EvaluationConfig) -> Report:
    """Figures of `prediction` against `reference`, both in one frame; either may be a cloud (no faces).

    Deterministic for a seed: the samples of each shape depend on nothing but the shape and the seed.

    Raises:
        InputError: a mesh without area, coordinates that are not finite.
    """
    origin = reference.vertices.mean(axis=0)
    predicted, expected = as_shape(prediction, origin), as_shape(reference, origin)
    accuracy = directed_distances(_samples(predicted, config), expected)
    completeness = directed_distances(_samples(expected, config), predicted)
    diagonal = expected.diagonal()
    figures: Figures = {}
    for metric in config.metrics:
        match metric:
            case "chamfer":
                figures |= metrics.chamfer(accuracy, completeness)
            case "normals":
                figures |= metrics.normal_consistency(accuracy, completeness)
            case "fscore":
                for threshold in config.thresholds or [share * diagonal for share in RELATIVE_THRESHOLDS]:
                    figures |= metrics.fscore(accuracy, completeness, threshold)
            case "hausdorff":
                figures |= metrics.hausdorff(accuracy, completeness)
            case "point_to_face":
                figures |= metrics.point_to_face(_own_distances(predicted, expected))
            case "uniformity":
                figures |= metrics.uniformity(predicted.points)
    return Report(figures, diagonal, _notes(predicted, expected, figures))


def _samples(shape: Shape, config: EvaluationConfig) -> Samples:
    return sample_shape(shape, config.samples, torch.Generator().manual_seed(config.seed))


def _own_distances(predicted: Shape, expected: Shape) -> torch.Tensor | None:
    if expected.faces is None:
        return None
    return directed_distances(Samples(predicted.points, None), expected).distances


def _notes(predicted: Shape, expected: Shape, figures: Figures) -> list[str]:
    """One line for each thing that the inputs lack and a figure needs."""
    notes = []
    for name, shape in (("prediction", predicted), ("reference", expected)):
        if figures.get("normal_consistency", 0) is None and shape.faces is None and shape.normals is None:
            notes.append(f"no normal consistency: the {name} is a cloud without normals")
    if figures.get("point_to_face_mean", 0) is None:
        notes.append("no point-to-face distance: the reference is a cloud")
    return notes
