"""Compare surfaces in files and run folders."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from isopts.data.meshes import MESH_FORMATS, read_mesh
from isopts.data.points import read_points
from isopts.errors import InputError
from isopts.evaluate.report import EvaluationConfig, Report, evaluate
from isopts.geometry.triangle_mesh import TriangleMesh

RUN_FILES = ("mesh.ply", "isopoints.ply")  # what stands for a run folder, the first that exists


def evaluate_files(predictions: Sequence[Path], reference: Path, config: EvaluationConfig) -> list[Report]:
    """One report for each of `predictions` against `reference`; each is a mesh, a cloud or a run folder.

    Raises:
        InputError: a file cannot be read or compared.
    """
    expected = load_shape(reference)
    return [evaluate(load_shape(prediction), expected, config) for prediction in predictions]


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
