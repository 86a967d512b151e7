"""Runs methods on clouds, with what is stored already."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from points.clouds import Cloud, write_cloud
from points.methods import Method, cloud_digest, mesh_path, run_method
from points.page import row_cells
from points.results import Results, Row


def run_all(
    clouds: Sequence[Cloud], methods: Sequence[Method], results: Results, work: Path, meshes: Path | None = None
) -> list[Row]:
    """Rows of every method on every cloud, in this order; new ones are printed and added to `results`.

    Args:
        work: folder for the files of the methods at work, in the end those of the last cloud that they ran on.
        meshes: folder that gets every mesh.
    """
    rows = []
    for number, cloud in enumerate(clouds, 1):
        write_cloud(cloud)
        digest = cloud_digest(cloud.path)
        folder = work / cloud.path.stem
        for method in methods:
            keys = [(cloud.shape, cloud.level, row, digest) for row in method.rows]
            if all(key in results for key in keys):
                rows.extend(results[key] for key in keys)
                continue
            if not folder.exists():
                shutil.rmtree(work, ignore_errors=True)
            for row in run_method(method, cloud, digest, folder):
                results.add(row)
                rows.append(row)
                if meshes is not None and not row.failure:
                    _keep(mesh_path(folder, row.method), meshes, row)
                print(_line(row, number, len(clouds)), flush=True)
    return rows


def _keep(mesh: Path, meshes: Path, row: Row) -> None:
    meshes.mkdir(parents=True, exist_ok=True)
    name = "_".join((row.shape, row.level, row.method)).replace(" ", "_")
    (meshes / f"{name}.ply").write_bytes(mesh.read_bytes())


def _line(row: Row, number: int, total: int) -> str:
    name, method, chamfer, roughness, flipped, parts, closed, seconds = row_cells(row)
    figures = f"{chamfer:>8} {roughness:>8} {flipped:>7} {parts:>4} {closed:>4} {seconds:>6} s"
    return f"[{number}/{total}] {name:28} {method:24} {figures}"
