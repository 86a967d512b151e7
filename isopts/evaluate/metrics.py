"""Figures from distances. Accuracy is prediction -> reference, completeness reference -> prediction.

Lengths are in the unit of the files, areas in its square. Every function returns a flat dictionary of named figures.
"""

import torch

from isopts.evaluate.distances import Directed, spacing

Figures = dict[str, float | None]


def chamfer(accuracy: Directed, completeness: Directed) -> Figures:
    """Mean distance and mean squared distance of each direction; as chamfer distance both the mean of the two
    directions and their sum are in use, so both are named."""
    near, far = float(accuracy.distances.mean()), float(completeness.distances.mean())
    near_squared = float(accuracy.distances.square().mean())
    far_squared = float(completeness.distances.square().mean())
    return {
        "accuracy": near,
        "completeness": far,
        "chamfer_l1_mean": (near + far) / 2,
        "chamfer_l1_sum": near + far,
        "accuracy_squared": near_squared,
        "completeness_squared": far_squared,
        "chamfer_squared_mean": (near_squared + far_squared) / 2,
        "chamfer_squared_sum": near_squared + far_squared,
    }


def normal_consistency(accuracy: Directed, completeness: Directed) -> Figures:
    """Mean |cos| between the normals of a sample and of the nearest place, mean of both directions, 1 at best; and
    the share of samples whose normals point against each other (0 right way out, 1 inside out)."""
    names = ("normal_accuracy", "normal_completeness", "normal_consistency", "flipped_normals")
    if accuracy.cosines is None or completeness.cosines is None:
        return dict.fromkeys(names)
    near, far = float(accuracy.cosines.abs().mean()), float(completeness.cosines.abs().mean())
    flipped = (float((accuracy.cosines < 0).double().mean()) + float((completeness.cosines < 0).double().mean())) / 2
    return dict(zip(names, (near, far, (near + far) / 2, flipped), strict=True))


def fscore(accuracy: Directed, completeness: Directed, threshold: float) -> Figures:
    """Share of the prediction within `threshold` of the reference (precision), of the reference within `threshold` of
    the prediction (recall), and their harmonic mean (Tatarchenko et al., CVPR 2019)."""
    precision = float((accuracy.distances <= threshold).double().mean())
    recall = float((completeness.distances <= threshold).double().mean())
    mean = 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
    return {
        f"fscore@{threshold:.4g}": mean,
        f"precision@{threshold:.4g}": precision,
        f"recall@{threshold:.4g}": recall,
    }


def hausdorff(accuracy: Directed, completeness: Directed) -> Figures:
    """Largest distance of each direction over the samples, and the larger of the two."""
    near, far = float(accuracy.distances.max()), float(completeness.distances.max())
    return {"hausdorff_accuracy": near, "hausdorff_completeness": far, "hausdorff": max(near, far)}


def point_to_face(distances: torch.Tensor | None) -> Figures:
    """Distances (N,) of the prediction's own points or vertices to the reference's faces; None without faces."""
    names = ("point_to_face_mean", "point_to_face_rms", "point_to_face_max")
    if distances is None:
        return dict.fromkeys(names)
    rms = distances.square().mean().sqrt()
    return dict(zip(names, map(float, (distances.mean(), rms, distances.max())), strict=True))


def uniformity(points: torch.Tensor) -> Figures:
    """Mean distance of the points (N, 3) to their nearest neighbour and its coefficient of variation: 0 on a regular
    grid, 0.52 for independent random points on a surface."""
    if len(points) < 2:
        return {"spacing_mean": None, "spacing_variation": None}
    distances = spacing(points)
    mean = float(distances.mean())
    return {
        "spacing_mean": mean,
        "spacing_variation": float(distances.std(correction=0)) / mean if mean > 0 else None,
    }
