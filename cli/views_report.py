"""What `isopts check` finds out about posed views."""

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from isopts.cli.unmasked_views import points_within, unit_ball, warn_without_masks
from isopts.cli.view_warnings import warn_of_cameras, warn_of_cuts, warn_of_hull
from isopts.data.posed_views import PosedViews
from isopts.data.region import GUESS, guess_note, region_of_interest, region_without_masks, view_silhouettes
from isopts.data.surface_points import surface_points
from isopts.data.view_problems import mask_doubt, mask_problems, pose_problems
from isopts.errors import InputError
from isopts.evaluate.silhouettes import SilhouetteAgreement, silhouette_agreement, surface_hits
from isopts.fit.views.prepared_views import fewest_views, fitted_views, left_out_note
from isopts.geometry.cameras import Cameras
from isopts.geometry.contradictions import cut_shares
from isopts.geometry.hull_region import WELL_SEEN
from isopts.geometry.keep_faces import keep_faces
from isopts.geometry.sphere import Sphere
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.geometry.visual_hull import VisualHull
from isopts.kernels.launch import thread_count
from isopts.mesh.components import face_components
from isopts.mesh.extract import MeshConfig, extract_mesh
from isopts.render.views_picture import ComparedView, render_views

_NO_HULL_IOU = 0.2  # on average: masks that contradict each other
_RESOLUTION = 96  # of the hull's mesh, cells along the region
_SPECK_SHARE = 0.01  # of the hull's area
_DECODED_PIXELS_MAX = 2e8  # of images in the picture, about 5 s; the other cameras are drawn without
_COMPARED_VIEWS, _COMPARED_PIXELS = 4, 40_000


@dataclass
class ViewsReport:
    """views: without those that are held out, and those that a fit leaves out for their masks, of which it warns.
    problems: view -> a sentence; where there are any, the hull is not computed. warnings: sentences.

    hull: mesh in the unit frame of `region`. agreements: of its projection with each mask. region_from: what the
    region was taken from. points: how many points that lie on the surface are in the region, and are known.
    """

    views: PosedViews
    problems: dict[int, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    region: Sphere | None = None
    region_from: str = ""
    hull: TriangleMesh | None = None
    agreements: list[SilhouetteAgreement] = field(default_factory=list)
    points: tuple[int, int] | None = None

    @property
    def has_picture(self) -> bool:
        return self.hull is not None or (self.region is not None and not self.views.masked)

    def least_agreeing(self) -> list[int]:
        """Up to four views, worst first."""
        return sorted(range(len(self.agreements)), key=lambda view: self.agreements[view].iou)[:_COMPARED_VIEWS]

    def hull_size(self) -> list[float]:
        """Sides of the hull's bounding box, world units."""
        return (np.ptp(self.hull.vertices, axis=0) * self.region.radius).tolist()

    def cameras(self) -> Cameras:
        """In the unit frame of the region."""
        return self.views.cameras.in_frame(self.region.frame())

    def picture(self) -> np.ndarray:
        """(H, W, 3) uint8: cameras, hull, and the least agreeing views; the region instead of a hull without masks."""
        pixels = self.views.cameras.sizes.prod(dim=1).tolist()
        step = math.ceil(sum(pixels) / _DECODED_PIXELS_MAX)
        grey = np.full((1, 1, 3), 128, np.uint8)
        images = [self.views.image(view) if view % step == 0 else grey for view in range(len(self.views))]
        compared = [self._compared(view) for view in self.least_agreeing()]
        return render_views(self.hull or unit_ball(), self.cameras(), images, compared)

    def _compared(self, view: int) -> ComparedView:
        mask = self.views.mask(view)
        step = max(1, math.ceil(math.sqrt(mask.size / _COMPARED_PIXELS)))
        rows, columns = (np.arange(step // 2, length, step) for length in mask.shape)
        pixels = torch.from_numpy(np.stack(np.meshgrid(columns, rows), axis=-1).reshape(-1, 2))
        hull = surface_hits(self.hull, self.cameras(), torch.full((len(pixels),), view), pixels)
        at = np.ix_(rows, columns)
        return ComparedView(self.views.image(view)[at], mask[at], hull.reshape(len(rows), len(columns)))

    def as_dict(self) -> dict[str, Any]:
        """Plain types for --json."""
        entries = []
        for view, posed in enumerate(self.views.photographs):
            entry = {"image": str(posed.image), "size": self.views.cameras.sizes[view].tolist()}
            if self.agreements:
                entry |= {name: round(value, 5) for name, value in self.agreements[view]._asdict().items()}
            entries.append(entry | ({"problem": self.problems[view]} if view in self.problems else {}))
        result: dict[str, Any] = {
            "ok": not self.problems,
            "format": self.views.format,
            "views": len(self.views),
            "masks": self.views.mask_source,
        }
        if self.region is not None:
            result["region"] = {"center": self.region.center, "radius": self.region.radius, "from": self.region_from}
        if self.points is not None:
            result["points"] = dict(zip(("in_region", "known"), self.points, strict=True))
        if self.hull is not None:
            ious = [agreement.iou for agreement in self.agreements]
            result["hull"] = {"size": self.hull_size(), "volume": self.hull.volume() * self.region.radius**3}
            result["agreement"] = {"mean_iou": float(np.mean(ious)), "least_iou": float(np.min(ious))}
        return result | {"warnings": self.warnings, "images": entries}


def inspect_views(
    views: PosedViews, sphere_given: bool, prior: Path | None = None, holdout: Collection[int] = ()
) -> ViewsReport:
    """Look at masks, region, hull and agreement. Reads all masks, no images but those that masks are made of.

    prior: file of points on the surface. holdout: views that take no part; a fit compares with them, so their masks
    must be right too.

    Raises:
        InputError: a view that is held out does not exist, or too few are left.
    """
    report = ViewsReport(views, mask_problems(views, thread_count()), list(views.notes))
    if not _choose_views(report, fitted_views(len(views), holdout)):
        return report
    views = report.views
    if not views.masked:
        return _inspect_without_masks(report, sphere_given, prior)
    maps = view_silhouettes(views)
    report.region = region_of_interest(views, maps)
    report.region_from = "--sphere" if sphere_given else "the cameras' file" if views.region else "the masks"
    report.problems = pose_problems(views, report.region)
    report.points = points_within(None if prior is None else surface_points(views, prior), report.region)
    if report.problems:
        return report
    cameras = report.cameras()
    report.warnings += warn_of_cameras(cameras) + warn_of_cuts(views, cut_shares(cameras, maps))
    hull = VisualHull(maps.seen_by(cameras))
    mesh = extract_mesh(hull, hull.value_and_gradient, MeshConfig(resolution=_RESOLUTION))
    mesh = _well_seen_parts(mesh, hull)
    if len(mesh.faces):
        masks = (views.mask(view) for view in range(len(views)))
        report.hull, report.agreements = mesh, silhouette_agreement(mesh, cameras, masks)
    if np.mean([agreement.iou for agreement in report.agreements] or [0.0]) < _NO_HULL_IOU:
        raise InputError(" ".join(["The silhouettes have next to nothing in common.", *report.warnings]))
    report.warnings += warn_of_hull(views, mesh, report.agreements)
    return report


def _choose_views(report: ViewsReport, chosen: list[int]) -> bool:
    """Go on with the `chosen` views and warn of those without an outline, as a fit does, where all problems are such
    masks, few, and of chosen views; else change nothing and return False."""
    views, rest = report.views, [view for view in chosen if view not in report.problems]
    try:
        blank = all(view in chosen and mask_doubt(views, view) is not None for view in report.problems)
    except InputError:  # a mask that cannot be read
        blank = False
    if not blank or len(rest) < fewest_views(len(chosen)):
        return False
    report.warnings += [left_out_note(views, view, doubt) for view, doubt in report.problems.items()]
    report.views, report.problems = views.select(rest), {}
    return True


def _inspect_without_masks(report: ViewsReport, sphere_given: bool, prior: Path | None) -> ViewsReport:
    views = report.views
    points = surface_points(views, prior)
    report.region, region_from = region_without_masks(views, points)
    report.region_from = "--sphere" if sphere_given else region_from
    report.warnings += [guess_note(report.region)] if region_from == GUESS else []
    report.problems = pose_problems(views, report.region)
    report.points = points_within(points, report.region)
    report.warnings += warn_of_cameras(report.cameras(), masked=False) + warn_without_masks(
        report.cameras(), views.names
    )
    return report


def _well_seen_parts(mesh: TriangleMesh, hull: VisualHull) -> TriangleMesh:
    """Without the parts that few views have in their images: no silhouette removes them."""
    if len(mesh.faces) == 0:
        return mesh
    seen = hull.distances(torch.from_numpy(mesh.vertices).float()).seen.numpy()
    part = face_components(mesh)
    mean_seen = np.bincount(part, weights=seen[mesh.faces].mean(axis=1)) / np.bincount(part)
    mean_seen[np.bincount(part, weights=mesh.face_areas()) < _SPECK_SHARE * mesh.face_areas().sum()] = 0
    return keep_faces(mesh, (mean_seen >= WELL_SEEN * mean_seen.max())[part])


def default_picture(views_path: Path) -> Path:
    """`<name of the data set>_views.png` in the working folder."""
    path = views_path.resolve()
    return Path(f"{path.name if path.is_dir() else path.stem}_views.png")
