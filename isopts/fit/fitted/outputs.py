"""What every finished fit leaves in its run folder: mesh, iso-points, preview, metrics. All in the input's frame."""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import Field

from isopts.config import StrictModel
from isopts.errors import DivergedError
from isopts.fit.fitted.fitted_field import FittedField
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.isopoints.extract import IsoPoints, IsoPointsConfig
from isopts.isopoints.quality import measure_quality
from isopts.kernels.neighbors import nearest_neighbors
from isopts.mesh.components import face_components
from isopts.mesh.extract import MeshConfig
from isopts.render.preview import render_preview
from isopts.render.preview_sides import camera_sides
from isopts.run.atomic import replacing
from isopts.run.folder import RunFolder


class OutputConfig(StrictModel):
    """What is written at the end of a fit."""

    mesh: MeshConfig = Field(MeshConfig(resolution=320), description="marching cubes")
    open: bool = Field(False, description="cut the surface where the scan ends instead of closing it (--open)")
    reach: float = Field(
        2.5, ge=1, description="open: gaps of the scan up to twice this many of its point spacings stay filled"
    )
    isopoints: int = Field(20_000, ge=0, description="iso-points written at the end; 0 writes none")
    preview: bool = Field(True, description="write preview.png")


@dataclass
class Stopwatch:
    """seconds: name of a stage -> its duration, in the order of the stages."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.monotonic() - started, 3)


def write_outputs(
    fitted: FittedField,
    config: OutputConfig,
    folder: RunFolder,
    stopwatch: Stopwatch,
    seed: int,
    clean: Callable[[TriangleMesh], TriangleMesh],
    figures: Mapping[str, float] | None = None,
) -> dict[str, float | int]:
    """Write mesh.ply, isopoints.ply, preview.png and metrics.json; returns the metrics.

    `clean` drops the parts of the mesh that the input does not support. figures: further metrics.
    Raises DivergedError when there is no surface to write.
    """
    with stopwatch.stage("mesh"):
        whole = fitted.mesh(config.mesh)
        if len(whole.faces) == 0:
            raise DivergedError("The fitted field has no surface; the input may contradict itself.")
        mesh = clean(whole)
        if len(mesh.faces) == 0:
            raise DivergedError("The fitted surface lies nowhere near the input; fit for longer.")
        fitted.write_mesh(folder.mesh, mesh)
    metrics = _mesh_metrics(mesh) | dict(figures or {})
    isopoints = None
    if config.isopoints > 0:
        with stopwatch.stage("iso-points"):
            isopoints = fitted.isopoints(config.isopoints, IsoPointsConfig(), seed)
            if len(mesh.faces) < len(whole.faces):
                isopoints = _on_mesh(isopoints, mesh, fitted, 2 / config.mesh.resolution)
            fitted.write_isopoints(folder.isopoints, isopoints.points, isopoints.normals)
        known = isopoints.quality.as_dict().items()
        metrics |= {name: value for name, value in known if math.isfinite(value)}  # of one point hardly any
    if config.preview:
        with stopwatch.stage("preview"):
            _write_preview(fitted, mesh, isopoints, folder)
    with replacing(folder.metrics) as temporary:
        temporary.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    return metrics


def _on_mesh(isopoints: IsoPoints, mesh: TriangleMesh, fitted: FittedField, cell_size: float) -> IsoPoints:
    """Those that lie on `mesh`, a part of the surface they were made for."""
    vertices = fitted.frame.to_unit(mesh.vertices, fitted.device)
    near = nearest_neighbors(isopoints.points, vertices, 1).squared_distances[:, 0] <= cell_size**2
    points, values = isopoints.points[near], isopoints.values[near]
    quality = measure_quality(points, values, vertices, isopoints.quality.unconverged)
    return IsoPoints(points, isopoints.normals[near], values, quality)


def _mesh_metrics(mesh: TriangleMesh) -> dict[str, float | int]:
    """An open mesh has no volume."""
    closed = mesh.is_closed()
    return {
        "mesh_vertices": len(mesh.vertices),
        "mesh_faces": len(mesh.faces),
        "mesh_components": int(face_components(mesh).max()) + 1,
        "mesh_area": float(mesh.face_areas().sum()),
        **({"mesh_volume": mesh.volume()} if closed else {}),
        "mesh_closed": closed,
    }


def _write_preview(fitted: FittedField, mesh: TriangleMesh, isopoints: IsoPoints | None, folder: RunFolder) -> None:
    import imageio.v3 as imageio  # a tenth of a second, for those who want a picture

    points = None if isopoints is None else fitted.frame.to_world(isopoints.points)
    normals = None if isopoints is None else isopoints.normals.cpu().numpy()
    # directions are the same in the unit frame and in the input's coordinates
    sides = None if fitted.appearance is None else camera_sides(fitted.appearance.cameras)
    with replacing(folder.preview) as temporary:
        imageio.imwrite(temporary, render_preview(mesh, points, normals, sides=sides))
