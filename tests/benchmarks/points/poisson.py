"""Open3D's screened Poisson reconstruction of one cloud, in a process of its own.

    python poisson.py CLOUD FOLDER RECIPE ...

A recipe is `raw-8` (the cloud as it is, depth 8, all parts) or `careful-7`, `careful-8` (after removal of statistical
outliers, 20 neighbours, 2 standard deviations; largest part). Missing normals are estimated from 30 neighbours and
oriented along a spanning tree. Writes FOLDER/RECIPE.ply and prints the seconds of each recipe as JSON: its own work
plus the start of Python and the reading of the file.
"""

import json
import sys
import time

STARTED = time.perf_counter()

import numpy as np  # noqa: E402 - the imports count
import open3d  # noqa: E402

_NORMAL_NEIGHBORS = 30  # Open3D's default, and what its tutorial orients with


def reconstruct(cloud: open3d.geometry.PointCloud, depth: int) -> open3d.geometry.TriangleMesh:
    if not cloud.has_normals():
        cloud.estimate_normals(open3d.geometry.KDTreeSearchParamKNN(_NORMAL_NEIGHBORS))
        cloud.orient_normals_consistent_tangent_plane(_NORMAL_NEIGHBORS)
    return open3d.geometry.TriangleMesh.create_from_point_cloud_poisson(cloud, depth=depth)[0]


def keep_largest(mesh: open3d.geometry.TriangleMesh) -> None:
    parts, _, areas = mesh.cluster_connected_triangles()
    mesh.remove_triangles_by_mask(np.asarray(parts) != np.asarray(areas).argmax())
    mesh.remove_unreferenced_vertices()


def main() -> None:
    source, folder, *recipes = sys.argv[1:]
    open3d.utility.set_verbosity_level(open3d.utility.VerbosityLevel.Error)
    points = open3d.io.read_point_cloud(source)
    start = time.perf_counter() - STARTED
    seconds = {}
    for recipe in recipes:
        began = time.perf_counter()
        care, depth = recipe.split("-")
        cloud = open3d.geometry.PointCloud(points)
        if care == "careful":
            cloud, _ = cloud.remove_statistical_outlier(20, 2.0)
        mesh = reconstruct(cloud, int(depth))
        if care == "careful":
            keep_largest(mesh)
        open3d.io.write_triangle_mesh(f"{folder}/{recipe}.ply", mesh)
        seconds[recipe] = start + time.perf_counter() - began
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
