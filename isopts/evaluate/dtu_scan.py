"""Ground truth of one scan of DTU's MVS data set, from the archives SampleSet and Points."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from isopts.data.meshes import read_mesh
from isopts.errors import InputError


@dataclass(frozen=True)
class DtuScan:
    """Lengths in mm, in the frame of the data set's camera matrices.

    points: (N, 3) of the structured-light scan. plane: (4,), above it is where plane . (x, y, z, 1) > 0.
    observed: (X, Y, Z) bool, voxels around lower + resolution * index that the scanner could see.
    lower, upper: (3,) corners of the box around the object.
    """

    number: int
    points: np.ndarray
    plane: np.ndarray
    observed: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    resolution: float

    def is_observed(self, points: np.ndarray) -> np.ndarray:
        """(N,) bool: the voxel nearest to each of `points` (N, 3) is observed."""
        voxel = np.rint((points - self.lower) / self.resolution).astype(np.int64)
        inside = ((voxel >= 0) & (voxel < self.observed.shape)).all(axis=1)
        observed = np.zeros(len(points), dtype=bool)
        observed[inside] = self.observed[tuple(voxel[inside].T)]
        return observed

    def is_above_plane(self, points: np.ndarray) -> np.ndarray:
        """(N,) bool of points (N, 3): not on the table that the object stands on."""
        return points @ self.plane[:3] + self.plane[3] > 0


def scan_number(path: Path) -> int | None:
    """65 of `DTU/scan65` or `dtu_scan65/cameras.npz`: the digits after `scan` in the name of a folder of views, or of
    the folder around a file of cameras. None where there are none."""
    for part in path.parts[:-3:-1]:
        if found := re.search(r"scan[_-]?(\d+)(?![0-9A-Za-z])", part, re.IGNORECASE):
            return int(found[1])
    return None


def read_dtu_scan(folder: Path, number: int) -> DtuScan:
    """Scan `number` of a folder with `ObsMask/` (of SampleSet) and `Points/stl/`.

    Raises:
        InputError: a file is missing or damaged; names it.
    """
    mask_file, plane_file = (folder / "ObsMask" / name for name in (f"ObsMask{number}_10.mat", f"Plane{number}.mat"))
    points_file = folder / "Points" / "stl" / f"stl{number:03d}_total.ply"
    for file in (mask_file, plane_file, points_file):
        if not file.is_file():
            raise InputError(
                f"'{file}' does not exist; --dtu takes the folder that holds ObsMask and Points/stl of DTU's SampleSet "
                "and Points archives, --scan a number that they have."
            )
    observed, box, resolution = _read_matrices(mask_file, {"ObsMask": None, "BB": (2, 3), "Res": (1, 1)})
    if observed.ndim != 3:
        raise InputError(f"'{mask_file}' has an ObsMask of {observed.ndim} dimensions; expected 3: get the file again.")
    (plane,) = _read_matrices(plane_file, {"P": None})
    if plane.size != 4:
        raise InputError(f"'{plane_file}' has a plane P of {plane.size} numbers; expected 4: get the file again.")
    lower, upper = box.astype(np.float64)
    points = read_mesh(points_file).vertices
    return DtuScan(number, points, plane.astype(float).ravel(), observed > 0, lower, upper, float(resolution[0, 0]))


def _read_matrices(file: Path, shapes: dict[str, tuple[int, ...] | None]) -> list[np.ndarray]:
    """The named matrices; a shape of None is not checked."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        matrices = loadmat(file, variable_names=list(shapes))
    except (OSError, ValueError, TypeError, NotImplementedError, MatReadError) as error:
        raise InputError(f"'{file}' cannot be read as a MATLAB file ({error}); get it again.") from None
    for name, shape in shapes.items():
        if name not in matrices or shape not in (None, matrices[name].shape):
            found = f"one of {matrices[name].shape}" if name in matrices else "none"
            wanted = f" of {shape}" if shape else ""
            raise InputError(f"'{file}' must hold a matrix {name}{wanted}, found {found}; get it again.")
    return [matrices[name] for name in shapes]
