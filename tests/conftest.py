"""Fixtures shared by all tests."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch


def pytest_configure() -> None:
    torch.set_num_threads(min(2, torch.get_num_threads()))


@pytest.fixture(params=["cpu", *(["cuda"] if torch.cuda.is_available() else [])])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Every device that exists here."""
    return torch.device(request.param)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real scans; a test that asks for it carries the marker `needs_data`."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real scans in ../shared/data")
    return folder


@dataclass(frozen=True)
class DtuBall:
    """A ball that stands for an object of DTU's data set. Lengths in mm."""

    center: tuple[float, float, float] = (40.0, -30.0, 600.0)
    radius: float = 10.0
    spacing: float = 0.15

    def points(self) -> np.ndarray:
        """(N, 3) evenly on the ball, one for every spacing^2."""
        count = int(4 * np.pi * self.radius**2 / self.spacing**2)
        z = 1 - (2 * np.arange(count) + 1) / count
        angle = np.arange(count) * np.pi * (3 - np.sqrt(5))
        ring = np.sqrt(1 - z * z)
        return np.array(self.center) + self.radius * np.stack([ring * np.cos(angle), ring * np.sin(angle), z], axis=1)

    def mesh(self, radius: float, subdivisions: int = 5):
        """TriangleMesh of another radius around the same centre."""
        import trimesh

        from isopts.geometry.triangle_mesh import TriangleMesh

        sphere = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
        return TriangleMesh(np.asarray(sphere.vertices) + self.center, np.asarray(sphere.faces))

    def write(self, folder: Path, number: int = 65, plane=(0, 0, 1, 0), observed=None, more=None) -> Path:
        """ObsMask and Points laid out like DTU's: a cube of 2 mm voxels, twice as large as the ball.

        observed: (points (N, 3)) -> (N,) bool, of the voxels' centres; all where None. more: points (N, 3) beside the
        ball's.
        """
        import scipy.io

        from isopts.data.meshes import write_mesh
        from isopts.geometry.triangle_mesh import TriangleMesh

        for name in ("ObsMask", "Points/stl"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        cells = int(2 * self.radius) + 1
        lower = np.array(self.center) - 2 * self.radius
        centers = lower + 2.0 * np.stack(np.mgrid[:cells, :cells, :cells], axis=-1).reshape(-1, 3)
        seen = np.ones(len(centers), bool) if observed is None else observed(centers)
        grid = {"ObsMask": seen.reshape(cells, cells, cells).astype(np.uint8), "Res": 2.0}
        grid["BB"] = np.stack([lower, lower + 4 * self.radius])
        scipy.io.savemat(folder / "ObsMask" / f"ObsMask{number}_10.mat", grid)
        scipy.io.savemat(folder / "ObsMask" / f"Plane{number}.mat", {"P": np.array(plane, float)[:, None]})
        points = np.concatenate([self.points(), np.zeros((0, 3)) if more is None else more])
        write_mesh(folder / "Points" / "stl" / f"stl{number:03d}_total.ply", TriangleMesh(points, np.zeros((0, 3))))
        return folder


@pytest.fixture(scope="session")
def dtu_ball() -> DtuBall:
    """A ball of 10 mm, small enough for a test."""
    return DtuBall()
