"""What every finished fit leaves in its run folder: mesh, iso-points, preview, metrics. All in the input's frame."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import imageio.v3 as imageio
import torch
from pydantic import Field

from isopts import __version__
from isopts.config import StrictModel
from isopts.data.meshes import write_mesh
from isopts.data.points import write_points
from isopts.errors import DivergedError
from isopts.field.build import Field as SignedDistanceField
from isopts.geometry.frames import WorldToUnit
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.isopoints.extract import IsoPoints, extract_isopoints
from isopts.mesh.components import face_components
from isopts.mesh.extract import MeshConfig, extract_mesh
from isopts.render.preview import render_preview
from isopts.run.atomic import replacing
from isopts.run.folder import RunFolder


class OutputConfig(StrictModel):
    """What is written at the end of a fit."""

    mesh_resolution: int = Field(256, ge=16, le=2048, description="marching-cubes cells along the domain's side of 2")
    largest_component: bool = Field(True, description="keep only the largest connected part of the mesh")
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


@dataclass(frozen=True)
class FieldInFrame:
    """A fitted field, where its unit frame lies in the input's coordinates, and after how many steps."""

    field: SignedDistanceField
    frame: WorldToUnit
    step: int
    device: torch.device

    @property
    def comment(self) -> str:
        """Header line of every PLY that a run writes."""
        return f"isopts {__version__}, input coordinates, step {self.step}"

    def mesh(self, config: OutputConfig) -> TriangleMesh:
        """Surface in the input's coordinates."""
        settings = MeshConfig(resolution=config.mesh_resolution, largest=config.largest_component)
        mesh = extract_mesh(self.field.value, self.field.value_and_gradient, settings, self.device)
        return TriangleMesh(self.frame.array_to_world(mesh.vertices), mesh.faces, mesh.normals)

    def write_mesh(self, mesh: TriangleMesh, path) -> None:
        with replacing(path) as temporary:
            write_mesh(temporary, mesh, self.comment)

    def write_isopoints(self, points: torch.Tensor, normals: torch.Tensor, path) -> None:
        """`points` (M, 3) and unit `normals` (M, 3) of the unit frame."""
        with replacing(path) as temporary:
            write_points(temporary, self.frame.to_world(points), normals.cpu().numpy(), comments=[self.comment])


def write_outputs(
    fitted: FieldInFrame, config: OutputConfig, folder: RunFolder, stopwatch: Stopwatch, generator: torch.Generator
) -> dict[str, float | int]:
    """Write mesh.ply, isopoints.ply, preview.png and metrics.json; returns the metrics.

    Raises DivergedError when the field has no zero set: there is no surface to write.
    """
    with stopwatch.stage("mesh"):
        mesh = fitted.mesh(config)
        if len(mesh.faces) == 0:
            raise DivergedError("The fitted field has no surface; the normals may contradict each other.")
        fitted.write_mesh(mesh, folder.mesh)
    metrics = _mesh_metrics(mesh)
    isopoints = None
    if config.isopoints > 0:
        with stopwatch.stage("iso-points"):
            isopoints = extract_isopoints(
                fitted.field.value_and_gradient, config.isopoints, generator=generator, device=fitted.device
            )
            fitted.write_isopoints(isopoints.points, isopoints.normals, folder.isopoints)
        metrics |= isopoints.quality.as_dict()
    if config.preview:
        with stopwatch.stage("preview"):
            _write_preview(fitted, mesh, isopoints, folder)
    with replacing(folder.metrics) as temporary:
        temporary.write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    return metrics


def _mesh_metrics(mesh: TriangleMesh) -> dict[str, float | int]:
    return {
        "mesh_vertices": len(mesh.vertices),
        "mesh_faces": len(mesh.faces),
        "mesh_components": int(face_components(mesh).max()) + 1,
        "mesh_area": float(mesh.face_areas().sum()),
        "mesh_volume": mesh.volume(),
        "mesh_closed": mesh.is_closed(),
    }


def _write_preview(fitted: FieldInFrame, mesh: TriangleMesh, isopoints: IsoPoints | None, folder: RunFolder) -> None:
    points = None if isopoints is None else fitted.frame.to_world(isopoints.points)
    normals = None if isopoints is None else isopoints.normals.cpu().numpy()
    with replacing(folder.preview) as temporary:
        imageio.imwrite(temporary, render_preview(mesh, points, normals))
