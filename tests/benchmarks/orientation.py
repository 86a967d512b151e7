"""Share of correctly oriented normals on clouds without any, ours against Open3D's, both on this machine.

    python tests/benchmarks/orientation.py [NAME ...]

NAME selects the clouds whose name contains it. Open3D's columns (`pip install '.[benchmark]'`) are left out where it is
not installed; they are estimate_normals, then orient_normals_consistent_tangent_plane, once with 30 and once with 100
neighbours, given up after a minute of processor time (it is slow where many points are coplanar). A normal is right
when it is on the side of the exact surface's normal; outliers do not count. The clouds are made here from formulas, and
those of ../shared/data where that folder exists. On the open sheet any side is right, as long as it is one.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from isopts.data.meshes import read_mesh
from isopts.data.points import read_points
from isopts.data.synthetic import ScanConfig, make_scan
from isopts.data.synthetic_shapes import SHAPES, SignedDistance, sphere, torus
from isopts.geometry.adaptive_planes import adaptive_planes
from isopts.geometry.orientation import orient_normals
from isopts.geometry.outliers import stray_points
from isopts.kernels.triangles import closest_points

DATA = Path(__file__).parents[3] / "shared" / "data" / "points"
SHARED = ("nefertiti", "rocker_arm", "spot", "fandisk")
SHARED_NOISE = {"clean": 0.0, "noise05": 0.005, "noise10_outliers": 0.01}
TIME_OF_FLIGHT = {"abc_00011084": 0.013, "abc_00016513": 0.009}  # noise, in the unit of the scan
OUTLIER_NOISE_LEVELS = 4.0
POINTS = 60_000
TIME_LIMIT_SECONDS = 60  # of a processor
OPEN3D = """
import resource, sys, time, numpy, open3d
source, target, k, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(numpy.load(source)))
started = time.process_time()
cloud.estimate_normals(open3d.geometry.KDTreeSearchParamKNN(k))
cloud.orient_normals_consistent_tangent_plane(k)
print(time.process_time() - started)
numpy.save(target, numpy.asarray(cloud.normals))
"""


class Cloud(NamedTuple):
    """points (N, 3); normals (N, 3) of the exact surface; counted (N,), False for outliers."""

    points: np.ndarray
    normals: np.ndarray
    counted: np.ndarray


def plate(points: np.ndarray) -> np.ndarray:
    """1.5 x 1.0 x 0.04, closed."""
    outside = np.abs(points) - np.array([0.75, 0.5, 0.02])
    return np.linalg.norm(np.maximum(outside, 0), axis=1) + np.minimum(outside.max(axis=1), 0)


def shell(points: np.ndarray) -> np.ndarray:
    """A ball of radius 0.75 with a cavity of radius 0.5 off its centre."""
    return np.maximum(sphere(points), 0.5 - np.linalg.norm(points - np.array([0.12, 0, 0]), axis=1))


def two_objects(points: np.ndarray) -> np.ndarray:
    """Balls of radius 0.4 and 0.2, 0.1 apart."""
    first = np.linalg.norm(points + np.array([0.3, 0, 0]), axis=1) - 0.4
    return np.minimum(first, np.linalg.norm(points - np.array([0.4, 0, 0]), axis=1) - 0.2)


def scan(shape: SignedDistance, noise: float, outliers: float = 0.0, points: int = POINTS) -> Cloud:
    config = ScanConfig(points=points, noise=noise, normal_noise=0.0, outliers=outliers)
    cloud = make_scan(shape, config)
    return Cloud(cloud.points, cloud.normals, np.abs(shape(cloud.points)) <= OUTLIER_NOISE_LEVELS * noise + 1e-5)


def uneven(shape: SignedDistance, noise: float) -> Cloud:
    """Ten times denser at one end than at the other."""
    cloud = scan(shape, noise, points=2 * POINTS)
    share = 10 ** -((cloud.points[:, 0] + 0.75) / 1.5)
    kept = np.random.default_rng(0).random(len(share)) < share
    return Cloud(*(part[kept] for part in cloud))


def sheet() -> Cloud:
    """Coplanar points."""
    points = np.random.default_rng(0).uniform(-0.75, 0.75, (POINTS, 3)) * np.array([1.0, 1.0, 0.0])
    return Cloud(points, np.tile([0.0, 0.0, 1.0], (POINTS, 1)), np.ones(POINTS, dtype=bool))


def shared(name: str, reference: str, noise: float) -> Cloud:
    """Real data, judged by the face of the exact mesh that is closest to each point."""
    points = read_points(DATA / f"{name}.ply")[0].points
    mesh = read_mesh(DATA / f"{reference}_reference.ply")
    found = closest_points(*(torch.from_numpy(part) for part in (points, mesh.vertices, mesh.faces)))
    counted = found.distances.numpy() <= OUTLIER_NOISE_LEVELS * noise + 1e-5
    return Cloud(points, mesh.face_normals()[found.faces.numpy()], counted)


def clouds() -> Iterator[tuple[str, Callable[[], Cloud]]]:
    for noise in (0.0, 0.005, 0.01):
        yield f"flange, noise {noise}", lambda noise=noise: scan(SHAPES["flange"], noise)
    for noise in (0.0, 0.003, 0.006):
        yield f"plate, noise {noise}", lambda noise=noise: scan(plate, noise)
    yield "shell, noise 0.01", lambda: scan(shell, 0.01)
    yield "two objects, noise 0.005", lambda: scan(two_objects, 0.005)
    yield "torus, 10 % outliers", lambda: scan(torus, 0.005, outliers=0.1)
    yield "flange, 10 % outliers", lambda: scan(SHAPES["flange"], 0.005, outliers=0.1)
    yield "flange, uneven", lambda: uneven(SHAPES["flange"], 0.005)
    yield "shell, uneven", lambda: uneven(shell, 0.005)
    yield "plate, uneven", lambda: uneven(plate, 0.003)
    yield "sheet", sheet
    if not DATA.is_dir():
        return
    for shape in SHARED:
        for variant, noise in SHARED_NOISE.items():
            name = f"{shape}_{variant}"
            yield name, lambda name=name, shape=shape, noise=noise: shared(name, shape, noise)
    for shape, noise in TIME_OF_FLIGHT.items():
        yield shape, lambda shape=shape, noise=noise: shared(f"{shape}_scan", shape, noise)


def ours(points: np.ndarray) -> tuple[np.ndarray, float]:
    started = time.process_time()
    cloud = torch.from_numpy(points - points.mean(axis=0)).float()
    planes = adaptive_planes(cloud)
    normals = orient_normals(cloud, planes.normals, ~stray_points(cloud, planes)).numpy()
    return normals, time.process_time() - started


def open3d_normals(points: np.ndarray, neighbors: int) -> tuple[np.ndarray, float]:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "points.npy", Path(folder) / "normals.npy"
        np.save(source, points)
        command = [sys.executable, "-c", OPEN3D, str(source), str(target), str(neighbors), str(TIME_LIMIT_SECONDS)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return np.load(target), float(done.stdout)


def row(name: str, cloud: Cloud, method: Callable[[np.ndarray], tuple[np.ndarray, float]]) -> str:
    """Percentage on the right side, mean angle to the exact normal's line in degrees, and seconds of all cores."""
    try:
        normals, seconds = method(cloud.points)
    except subprocess.CalledProcessError as error:
        if error.returncode not in (-signal.SIGXCPU, -signal.SIGKILL):
            raise
        return f"{'gave up':>24}"
    cosines = (normals * cloud.normals).sum(axis=1)[cloud.counted]
    right = float((cosines > 0).mean())
    right = max(right, 1 - right) if name == "sheet" else right
    angle = float(np.degrees(np.arccos(np.abs(cosines).clip(0, 1))).mean())
    return f"{100 * right:10.2f}{angle:8.2f}{seconds:6.1f}"


def has_open3d() -> bool:
    return subprocess.run([sys.executable, "-c", "import open3d"], capture_output=True, check=False).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    methods = {"isopts": ours}
    if has_open3d():
        methods |= {f"Open3D {k}": lambda points, k=k: open3d_normals(points, k) for k in (30, 100)}
    ours(np.random.default_rng(0).normal(size=(1000, 3)))  # compiles the kernels
    print(f"{'':28}" + "".join(f"{method:>24}" for method in methods))
    print(f"{'cloud':28}" + f"{'right %':>10}{'degrees':>8}{'CPU s':>6}" * len(methods))
    for name, make in clouds():
        if arguments.names and not any(part in name for part in arguments.names):
            continue
        cloud = make()
        print(f"{name:28}", end="", flush=True)
        for method in methods.values():
            print(row(name, cloud, method), end="", flush=True)
        print(flush=True)


if __name__ == "__main__":
    main()
