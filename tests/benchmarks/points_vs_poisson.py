"""fit-points against careful screened Poisson on noisy clouds with outliers, both from file to mesh on this machine.

    python tests/benchmarks/points_vs_poisson.py [--variant noise05] [SHAPE ...]

Poisson is Open3D's (`pip install '.[benchmark]'`; needs the system package libusb-1.0-0) after
`remove_statistical_outlier(20, 2)`, largest component, depth 7 and 8. Without Open3D its rows are left out. The clouds
are those of ../shared/data; lengths are in thousandths of their unit (longest side 1.5).
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from isopts.cli.threads import use_threads
from isopts.config import load_config
from isopts.data.meshes import read_mesh
from isopts.evaluate.report import EvaluationConfig, evaluate
from isopts.fit.points import PointsRun, fit_points
from isopts.fit.points_config import PointsConfig
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.mesh.components import face_components

DATA = Path(__file__).parents[3] / "shared" / "data" / "points"
SHAPES = ("nefertiti", "rocker_arm", "spot", "fandisk")
POISSON = """
import sys, numpy, open3d
source, target, depth = sys.argv[1], sys.argv[2], int(sys.argv[3])
cloud, _ = open3d.io.read_point_cloud(source).remove_statistical_outlier(20, 2.0)
mesh, _ = open3d.geometry.TriangleMesh.create_from_point_cloud_poisson(cloud, depth=depth)
parts, _, areas = mesh.cluster_connected_triangles()
mesh.remove_triangles_by_mask(numpy.asarray(parts) != numpy.asarray(areas).argmax())
mesh.remove_unreferenced_vertices()
open3d.io.write_triangle_mesh(target, mesh)
"""


def ours(cloud: Path, folder: Path) -> TriangleMesh:
    config = load_config(PointsConfig, "points_fast", ["output.preview=false", "output.isopoints=0"])
    run = PointsRun(cloud, folder / "run", torch.device("cpu"), overwrite=True)
    fit_points(run, config, lambda report: None, lambda note: None, lambda: False)
    return read_mesh(folder / "run" / "mesh.ply")


def poisson(cloud: Path, folder: Path, depth: int) -> TriangleMesh:
    target = folder / "poisson.ply"
    subprocess.run([sys.executable, "-c", POISSON, str(cloud), str(target), str(depth)], check=True)
    return read_mesh(target)


def has_open3d() -> bool:
    return subprocess.run([sys.executable, "-c", "import open3d"], capture_output=True, check=False).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shapes", nargs="*", default=SHAPES, metavar="SHAPE")
    parser.add_argument("--variant", default="noise10_outliers")
    arguments = parser.parse_args()
    methods = {"isopts": ours}
    if has_open3d():
        methods |= {f"poisson {depth}": lambda *paths, depth=depth: poisson(*paths, depth) for depth in (7, 8)}
    print(use_threads(0, "grid"))
    print(f"{'cloud':28} {'method':10} {'seconds':>7} {'chamfer':>8} {'normals':>8} {'parts':>5} closed")
    config = EvaluationConfig(metrics=("chamfer", "normals"))
    for shape in arguments.shapes:
        reference = read_mesh(DATA / f"{shape}_reference.ply")
        cloud = DATA / f"{shape}_{arguments.variant}.ply"
        for name, method in methods.items():
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                mesh = method(cloud, Path(folder))
                seconds = time.perf_counter() - started
            figures = evaluate(mesh, reference, config).figures
            print(
                f"{cloud.stem:28} {name:10} {seconds:7.1f} {1000 * figures['chamfer_l1_mean']:8.3f} "
                f"{figures['normal_consistency']:8.4f} {face_components(mesh).max() + 1:5} {mesh.is_closed()}",
                flush=True,
            )


if __name__ == "__main__":
    main()
