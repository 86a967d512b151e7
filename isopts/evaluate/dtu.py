"""The evaluation of DTU's MVS benchmark (Jensen et al., CVPR 2014; Aanaes et al., IJCV 2016), for meshes.

Follows the Python evaluation that papers on neural surfaces report figures of (jzhangbs, DTUeval-python) in what its
figures depend on: density, thinning, the two regions and the cap.
"""

import numpy as np
import torch

from isopts.errors import InputError
from isopts.evaluate.dtu_scan import DtuScan
from isopts.evaluate.lattice_points import lattice_points
from isopts.evaluate.minimum_distance import thin_to_minimum_distance
from isopts.evaluate.report import Report
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.kernels.neighbors import nearest_neighbors

SPACING_MM = 0.2
DISTANCE_MAX_MM = 20.0  # larger distances are left out of the means
_MARGIN_MM = 60.0  # around the scan's box, twice as much at its upper end: what is outside is not looked at


def evaluate_dtu(mesh: TriangleMesh, scan: DtuScan, seed: int) -> Report:
    """Mean distances in mm from the mesh to the scan (`dtu_data_to_stl`), back (`dtu_stl_to_data`), and their mean.

    The mesh becomes points: its vertices and lattices on its faces, thinned in random order to 0.2 mm. Those in the
    observed volume are compared with the scan; the scan's points above the plane are compared with all of them.

    Args:
        mesh: in the scan's frame and in mm; a cloud is taken as it is.
        seed: of the order in which points are thinned.

    Raises:
        InputError: nothing of the mesh is near the scan.
    """
    points = dtu_points(mesh, scan, np.random.default_rng(seed))
    if len(points) == 0:
        lower, upper = (" ".join(f"{x:.4g}" for x in corner) for corner in (scan.lower, scan.upper))
        raise InputError(
            f"Nothing of the mesh is near DTU's scan {scan.number}, from {lower} to {upper} mm; expected a mesh in the "
            "frame of the data set's cameras: check --scan and the mesh's frame."
        )
    to_scan = _capped_mean(points[scan.is_observed(points)], scan.points)
    to_mesh = _capped_mean(scan.points[scan.is_above_plane(scan.points)], points)
    mean = None if to_scan is None or to_mesh is None else (to_scan + to_mesh) / 2
    notes = [f"DTU's figures are in mm, of scan {scan.number}"]
    if to_scan is None:
        notes.append("no dtu_data_to_stl: no point of the mesh is in the observed volume and within 20 mm of the scan")
    if to_mesh is None:
        notes.append("no dtu_stl_to_data: no point of the scan is above the plane and within 20 mm of the mesh")
    return Report({"dtu_data_to_stl": to_scan, "dtu_stl_to_data": to_mesh, "dtu_chamfer": mean}, notes=notes)


def dtu_points(mesh: TriangleMesh, scan: DtuScan, generator: np.random.Generator) -> np.ndarray:
    """(N, 3) points of the mesh near the scan, farther than 0.2 mm from each other."""
    lower, upper = scan.lower - _MARGIN_MM, scan.upper + 2 * _MARGIN_MM
    corners = [mesh.vertices[mesh.faces[:, corner]] for corner in range(3)]
    meets = np.all((np.maximum.reduce(corners) >= lower) & (np.minimum.reduce(corners) < upper), axis=1)
    nearby = TriangleMesh(mesh.vertices, mesh.faces[meets])
    parts = [mesh.vertices, *lattice_points(nearby, SPACING_MM)]
    inside = [part[np.all((part >= lower) & (part < upper), axis=1)] for part in parts]
    return thin_to_minimum_distance(np.concatenate(inside), SPACING_MM, generator)


def _capped_mean(points: np.ndarray, target: np.ndarray) -> float | None:
    """Mean distance of those of `points` (N, 3) that are nearer than the cap to `target` (M, 3); None of none."""
    if len(points) == 0 or len(target) == 0:
        return None
    found = nearest_neighbors(torch.from_numpy(points), torch.from_numpy(target), 1)
    distances = found.squared_distances[:, 0].sqrt()
    near = distances[distances < DISTANCE_MAX_MM]
    return float(near.mean()) if len(near) else None
