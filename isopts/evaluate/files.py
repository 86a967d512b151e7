"""Compare surfaces in files and run folders."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isopts.data.meshes import MESH_FORMATS, read_mesh
from isopts.data.points import read_points
from isopts.data.posed_views import PosedViews
from isopts.errors import InputError
from isopts.evaluate.dtu import evaluate_dtu
from isopts.evaluate.dtu_scan import DtuScan, read_dtu_scan
from isopts.evaluate.fitted_views import FittedViews, fitted_view_figures
from isopts.evaluate.mask_culling import CullingConfig, cull_by_masks
from isopts.evaluate.mask_figures import mask_figures
from isopts.evaluate.report import EvaluationConfig, Report, evaluate
from isopts.geometry.triangle_mesh import TriangleMesh

RUN_FILES = ("mesh.ply", "isopoints.ply")  # what stands for a run folder, the first that exists


@dataclass(frozen=True)
class Targets:
    """What a prediction is compared with; what is None is left out.

    reference: mesh or cloud. views: with masks. fit: what the prediction's fit did with these views, whose colours are
    then compared too. culling: removes first what the masks exclude; needs views. dtu: folder of DTU's ground truth,
    and scan: the number of the prediction's scan in it.
    """

    reference: Path | None = None
    views: PosedViews | None = None
    fit: FittedViews | None = None
    culling: CullingConfig | None = None
    dtu: Path | None = None
    scan: int | None = None


def evaluate_files(predictions: Sequence[Path], targets: Sequence[Targets], config: EvaluationConfig) -> list[Report]:
    """One report for each of `predictions`, each a mesh, a cloud or a run folder, with its own of `targets`.

    Raises:
        InputError: a file cannot be read or compared.
    """
    read_reference = functools.lru_cache(maxsize=1)(load_shape)
    read_scan = functools.lru_cache(maxsize=1)(read_dtu_scan)
    reports = []
    for prediction, target in zip(predictions, targets, strict=True):
        expected = None if target.reference is None else read_reference(target.reference)
        scan = None if target.dtu is None else read_scan(target.dtu, target.scan)
        mesh = load_shape(prediction)
        try:
            reports.append(Report.joined(_compare(mesh, expected, scan, target, config)))
        except InputError as error:
            raise InputError(f"'{prediction}' cannot be compared. {error}") from None
    return reports


def _compare(
    mesh: TriangleMesh, expected: TriangleMesh | None, scan: DtuScan | None, target: Targets, config: EvaluationConfig
) -> Iterator[Report]:
    """A report for each target; culling comes first and only has a note."""
    views = target.views
    if views is not None and target.fit is not None:
        views = views.select(range(len(views)))  # its decoded pictures go with it: many runs may be compared
    if views is not None and not views.masked and (target.culling is not None or target.fit is None):
        raise InputError("There are no masks to compare with or to cull by; name some: --mask-from dir, alpha, ...")
    if views is not None and target.culling is not None:
        whole = mesh
        mesh = cull_by_masks(whole, views.cameras, (views.mask(view) for view in range(len(views))), target.culling)
        yield Report({}, notes=[_culling_note(whole, mesh)])
    if expected is not None:
        yield evaluate(mesh, expected, config)
    if views is not None:
        yield mask_figures(mesh, views) if target.fit is None else fitted_view_figures(mesh, views, target.fit)
    if scan is not None:
        yield evaluate_dtu(mesh, scan, config.seed)


def _culling_note(whole: TriangleMesh, culled: TriangleMesh) -> str:
    kind = "faces" if len(whole.faces) else "vertices"
    before, after = len(getattr(whole, kind)), len(getattr(culled, kind))
    if after == 0:
        raise InputError("The masks exclude all of it; expected it in the frame of the cameras: see `isopts check`.")
    name = "faces" if kind == "faces" else "points"
    return f"the masks exclude {before - after} of {before} {name}, which do not count"


def load_shape(path: Path) -> TriangleMesh:
    """A mesh (PLY, OBJ, STL, GLB, OFF), a cloud (faces (0, 3)), or a run folder: its mesh, else its iso-points.

    Clouds in text and NPY files are cleaned as by `read_points`.
    """
    if path.is_dir():
        found = [path / name for name in RUN_FILES if (path / name).is_file()]
        if not found:
            raise InputError(f"'{path}' has neither {' nor '.join(RUN_FILES)}; give a finished run, a mesh or a cloud.")
        path = found[0]
    if path.suffix.lower() in MESH_FORMATS:
        mesh = read_mesh(path)
        finite = np.isfinite(mesh.vertices).all(axis=1)
        if not finite.all():
            count = f"{len(finite) - finite.sum()} of {len(finite)}"
            raise InputError(f"'{path}' has {count} points with coordinates that are not finite; remove them first.")
        return mesh
    cloud, _ = read_points(path)
    return TriangleMesh(cloud.points, np.zeros((0, 3)), cloud.normals)
