"""Drop the points that a fit cannot use, and say how many."""

from dataclasses import dataclass

import numpy as np

from isopts.data.duplicates import first_occurrences
from isopts.data.point_cloud import PointCloud


@dataclass(frozen=True)
class CleaningReport:
    """How many points were read and how many were dropped, by reason.

    ignored: a sentence per thing in the file that is not used, such as normals that are none.
    """

    read: int
    not_finite: int = 0
    duplicates: int = 0
    zero_normals: int = 0
    ignored: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        """What to tell the user; empty when every point is used."""
        reasons = {
            "with coordinates that are not finite": self.not_finite,
            "that repeat another point": self.duplicates,
            "with a zero normal": self.zero_normals,
        }
        dropped = [f"Dropped {count} of {self.read} points {reason}." for reason, count in reasons.items() if count]
        return [*dropped, *self.ignored]


def clean_points(
    points: np.ndarray, normals: np.ndarray | None, ignored: tuple[str, ...] = ()
) -> tuple[PointCloud, CleaningReport]:
    """Drop points (N, 3) that are not finite, whose normal is zero or not finite, or that equal an earlier point;
    scale normals (N, 3) to length 1.

    When most of the finite points have no normal, the normals are ignored and the points stay.
    """
    finite = np.isfinite(points).all(axis=1)
    usable = finite
    if normals is not None:
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.linalg.norm(normals, axis=1)
        usable = finite & np.isfinite(lengths) & (lengths > 0)
        if np.count_nonzero(usable) < np.count_nonzero(finite) / 2:
            normals, usable = None, finite
            ignored = (*ignored, "The normals are ignored: most of them are zero.")
    kept = slice(None) if usable.all() else usable  # a view where nothing is dropped
    points = points[kept]
    first = first_occurrences(points)
    if normals is not None:
        normals = (normals[kept] / lengths[kept, None])[first].astype(np.float32, copy=False)
    report = CleaningReport(
        read=len(finite),
        not_finite=int(np.count_nonzero(~finite)),
        duplicates=len(points) - len(first),
        zero_normals=int(np.count_nonzero(finite & ~usable)),
        ignored=ignored,
    )
    return PointCloud(points[first], normals), report
