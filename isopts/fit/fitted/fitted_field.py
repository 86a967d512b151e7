"""A fitted field and the way from its unit frame to files in the input's coordinates."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from isopts import __version__
from isopts.data.meshes import write_mesh
from isopts.data.points import write_points
from isopts.errors import InputError
from isopts.field.build import Field, restore_field
from isopts.fit.fitted.appearance import Appearance, stored_appearance
from isopts.fit.fitted.support import SUPPORT_REACH, Support, interpolate_support, stored_support
from isopts.geometry.curvature import mean_curvature
from isopts.geometry.frames import WorldToUnit
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.isopoints.extract import IsoPoints, IsoPointsConfig, extract_isopoints
from isopts.kernels.neighbors import nearest_neighbors
from isopts.mesh.components import face_components, supported_components
from isopts.mesh.extract import MeshConfig, extract_mesh
from isopts.mesh.trim import trim
from isopts.run.atomic import replacing
from isopts.run.checkpoint import Checkpoint, load_checkpoint

_CURVATURE_NEIGHBORS = 12


def no_surface() -> InputError:
    """What to tell who asks for the surface of a field that has none."""
    return InputError("The field of this checkpoint has no surface; fit longer, or check the input.")


@dataclass(frozen=True)
class FittedField:
    """field: in the unit frame, on its device. frame: leads back to the input's coordinates. step: finished steps.
    decoder: its name. support: where the scan lies; None: not known.
    appearance: colours and cameras of a fit of images; None for a scan."""

    field: Field
    frame: WorldToUnit
    step: int
    decoder: str
    support: Support | None = None
    appearance: Appearance | None = None

    @staticmethod
    def load(path: Path, device: torch.device) -> "FittedField":
        """From a checkpoint file or a run folder. Raises InputError, ConfigError."""
        return FittedField.restore(load_checkpoint(path), str(path), device)

    @staticmethod
    def restore(checkpoint: Checkpoint, source: str, device: torch.device) -> "FittedField":
        """From a checkpoint that was read from `source`. Raises InputError, ConfigError."""
        config = checkpoint.config.get("field")
        if not isinstance(config, dict):
            raise InputError(f"'{source}' is a damaged checkpoint: its configuration has no 'field'.")
        field = restore_field(config, checkpoint.field, source).to(device)
        support = stored_support(checkpoint.tensors, device)
        appearance = stored_appearance(checkpoint.config, checkpoint.tensors, source, device)
        step, decoder = checkpoint.step, config["decoder"]
        return FittedField(field, checkpoint.frame, step, decoder, support, appearance)

    @property
    def has_colors(self) -> bool:
        return self.appearance is not None and self.appearance.has_colors

    @property
    def device(self) -> torch.device:
        return next(self.field.parameters()).device

    def mesh(self, config: MeshConfig) -> TriangleMesh:
        """The surface, in the input's coordinates, with colours where they are known; without faces where the field has
        no surface."""
        unit = extract_mesh(self.field.value, self.field.value_and_gradient, config, self.device)
        colors = self._vertex_colors(unit) if self.has_colors else None
        return TriangleMesh(self.frame.array_to_world(unit.vertices), unit.faces, unit.normals, colors)

    def _vertex_colors(self, unit: TriangleMesh) -> np.ndarray:
        points, normals = (torch.from_numpy(part).float().to(self.device) for part in (unit.vertices, unit.normals))
        colors = self.appearance.frontal_colors(self.field, points, normals)
        return (255 * colors + 0.5).byte().cpu().numpy()

    def trim(self, mesh: TriangleMesh, reach: float) -> TriangleMesh:
        """The part of `mesh` (input's coordinates, with normals) that the scan supports, with open borders; `reach`:
        see OutputConfig. Raises InputError when the support is not known."""
        if self.support is None:
            raise InputError(
                "This checkpoint does not tell where the scan ends; end the fit regularly and with iso-points, "
                "or fit with --open."
            )
        clearances, spacings = self._vertex_support(mesh)
        lengths = (lengths.double().cpu().numpy() / self.frame.scale for lengths in (clearances, spacings))
        return trim(mesh, *lengths, reach)

    def supported_parts(self, mesh: TriangleMesh) -> TriangleMesh:
        """`mesh` (input's coordinates, with normals) without the parts that are far from the scan, which a fit leaves
        out too; all of it where the support is not known, or where there is one part only."""
        if self.support is None or face_components(mesh).max(initial=0) == 0:
            return mesh
        clearances, spacings = self._vertex_support(mesh)
        return supported_components(mesh, (clearances <= SUPPORT_REACH * spacings).cpu().numpy())

    def _vertex_support(self, mesh: TriangleMesh) -> tuple[torch.Tensor, torch.Tensor]:
        """Clearances and spacings (V,) at the vertices, unit frame."""
        vertices = self.frame.to_unit(mesh.vertices, self.device)
        return interpolate_support(self.support, vertices, torch.from_numpy(mesh.normals).to(vertices))

    def isopoints(self, count: int, config: IsoPointsConfig, seed: int) -> IsoPoints:
        """Points on the surface, unit frame; none where the field has no surface."""
        generator = torch.Generator().manual_seed(seed)
        return extract_isopoints(self.field.value_and_gradient, count, config, generator=generator, device=self.device)

    def write_mesh(self, path: Path, mesh: TriangleMesh) -> None:
        """Write a mesh of the input's coordinates, atomically. Raises InputError."""
        with replacing(path) as temporary:
            write_mesh(temporary, mesh, self._comment)

    def write_isopoints(self, path: Path, points: torch.Tensor, normals: torch.Tensor) -> None:
        """Write points and unit normals (M, 3) of the unit frame in the input's coordinates, atomically; a PLY also
        gets the mean curvature, in one over the input's unit. Raises InputError."""
        k = min(_CURVATURE_NEIGHBORS + 1, len(points))
        neighbors = nearest_neighbors(points, points, k).indices[:, 1:]
        curvature = mean_curvature(points, normals, neighbors) * self.frame.scale
        is_ply = path.suffix.lower() == ".ply"
        with replacing(path) as temporary:
            write_points(
                temporary,
                self.frame.to_world(points),
                normals.cpu().numpy(),
                scalars={"curvature": curvature.cpu().numpy()} if is_ply else None,
                comments=[f"{self._comment}, mean curvature"],
            )

    @property
    def _comment(self) -> str:
        return f"isopts {__version__}, input coordinates, step {self.step}"
