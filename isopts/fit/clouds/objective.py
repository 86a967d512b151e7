"""What fit-points minimises: the scan, the space around it, and the iso-points."""

import math
from typing import NamedTuple

import torch
from torch.nn import functional

from isopts.field.build import Field
from isopts.field.chunked import evaluate_in_chunks
from isopts.fit import losses
from isopts.fit.clouds.config import PointsConfig
from isopts.fit.clouds.consolidate import Scan, consolidate
from isopts.fit.clouds.prepared_cloud import PreparedCloud
from isopts.fit.clouds.resolution import finest_cell
from isopts.fit.clouds.sign_samples import SignSamples
from isopts.fit.clouds.weights import data_weights
from isopts.fit.schedule import is_due
from isopts.geometry.normals import estimate_normals
from isopts.isopoints.extract import extract_isopoints
from isopts.isopoints.project import Projection
from isopts.kernels.neighbors import nearest_neighbors

_EXACT = 1 / 8  # noise below this many spacings is not told from none: no grid follows the points more closely
_FLOOR_OF_TRUST = 1 / 4  # the same for the planes of iso-points, which are coarser than the grid
_SHARE_COUNT = 8000  # of the paper's recipe: iso-point terms count M / (M + 8000)


class Isopoints(NamedTuple):
    """points (M, 3), where the surface is to be; normals (M, 3), unit; gradients (M, 3), of the field, unit.
    confidences (M,) in [0, 1]: how much of the scan is around."""

    points: torch.Tensor
    normals: torch.Tensor
    gradients: torch.Tensor
    confidences: torch.Tensor


class PointsObjective:
    """See isopts.fit.loop.Objective. Its state between steps is the iso-points and the generator, which is the CPU's so
    that every device draws the same numbers."""

    def __init__(
        self,
        field: Field,
        cloud: PreparedCloud,
        samples: SignSamples | None,
        config: PointsConfig,
        generator: torch.Generator,
    ):
        self._field = field
        self._cloud = cloud
        self._samples = samples
        self._config = config
        self._generator = generator
        self._isopoints: Isopoints | None = None
        self._weights = torch.ones_like(cloud.points[:, 0])

    @property
    def isopoint_count(self) -> int:
        return 0 if self._isopoints is None else len(self._isopoints.points)

    @property
    def isopoints(self) -> Isopoints | None:
        """The current set, unit frame."""
        return self._isopoints

    @property
    def weights(self) -> torch.Tensor:
        """(N,) trust in each point of the scan, 1 before there are iso-points."""
        return self._weights

    def refresh(self, step: int) -> str | None:
        """Extract iso-points when they are due and weigh the scan by them."""
        config = self._config.isopoints
        if not (config.enabled and is_due(step, config.first_step, config.every_steps)):
            return None
        found = self._extract()
        if len(found.points) == 0:
            return None
        self.use_isopoints(found)
        return f"{self.isopoint_count:,} iso-points, mean trust in the scan {float(self._weights.mean()):.2f}"

    def use_isopoints(self, isopoints: Isopoints) -> None:
        """Take a set of iso-points, new or from a checkpoint."""
        config = self._config.isopoints
        self._isopoints = isopoints
        width = config.weight_noise_levels * max(self._cloud.noise, _FLOOR_OF_TRUST * self._cloud.spacing)
        self._weights = data_weights(
            config.weights,
            self._cloud.points,
            self._cloud.normals,
            isopoints.points,
            isopoints.gradients,
            plane_width=width if config.weight_noise_levels > 0 else None,
        )

    def losses(self, step: int) -> dict[str, torch.Tensor]:
        """Weighted terms of one random batch."""
        config = self._config
        chosen = self._choose(len(self._cloud.points), config.sampling.data)
        data, space = self._cloud.points[chosen], self._space_samples(chosen)
        isopoints = self._isopoint_batch()
        values, gradients = self._field.value_and_gradient(torch.cat((data, space, isopoints.points)))
        sizes = [len(data), len(space), len(isopoints.points)]
        data_values, space_values, isopoint_values = values.split(sizes)
        data_gradients, space_gradients, isopoint_gradients = gradients.split(sizes)
        terms = self._data_terms(chosen, data_values, data_gradients)
        terms |= self._space_terms(step, space, space_values, space_gradients)
        terms["eikonal"] = config.losses.eikonal * losses.eikonal_loss(gradients[: len(data) + len(space)])
        if len(isopoints.points) > 0:
            terms |= self._isopoint_terms(isopoint_values, isopoint_gradients, isopoints)
        if self._samples is not None and config.sampling.signed > 0:
            terms |= self._signed_terms()
        return terms

    def _data_terms(
        self, chosen: torch.Tensor, values: torch.Tensor, gradients: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        config = self._config.losses
        weights = self._weights[chosen]
        share = self._data_share()
        if config.data_huber > 0:
            noise = max(self._cloud.noise, _EXACT * self._cloud.spacing)
            data = losses.noisy_surface_loss(values, noise, config.data_huber, weights)
        else:
            data = losses.surface_loss(values, weights)
        normal = config.normal_estimated if self._cloud.normals_estimated else config.normal
        trust = weights if self._cloud.normal_trust is None else weights * self._cloud.normal_trust[chosen]
        return {
            "data": share * config.data * data,
            "normal": share * normal * losses.normal_loss(gradients, self._cloud.normals[chosen], trust),
        }

    def _space_terms(
        self, step: int, points: torch.Tensor, values: torch.Tensor, gradients: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        config, terms = self._config.losses, {}
        if len(points) == 0:
            return terms
        if config.off_surface > 0:
            sharpness = config.off_surface_sharpness * (1 + step / self._config.fit.steps)
            terms["off_surface"] = config.off_surface * losses.off_surface_loss(values, sharpness)
        if config.off_normal > 0 and step <= config.off_normal_steps:
            nearest = nearest_neighbors(points, self._cloud.points, 1).indices[:, 0]
            normals = self._cloud.normals[nearest]
            terms["off_normal"] = config.off_normal * losses.opposing_normal_loss(gradients, normals)
        return terms

    def _isopoint_terms(
        self, values: torch.Tensor, gradients: torch.Tensor, isopoints: Isopoints
    ) -> dict[str, torch.Tensor]:
        config = self._config.losses
        count = self.isopoint_count
        share = count / (count + _SHARE_COUNT) if config.share_by_count else 1.0
        on_surface = losses.surface_loss(values, isopoints.confidences)
        oriented = self._config.isopoints.consolidate_cells > 0  # planes of iso-points have two sides
        weight = config.isopoint_normal_estimated if self._cloud.normals_estimated else config.isopoint_normal
        along = losses.normal_loss(gradients, isopoints.normals, isopoints.confidences, oriented)
        return {
            "isopoint": share * config.isopoint * on_surface,
            "isopoint_normal": share * weight * along,
        }

    def _signed_terms(self) -> dict[str, torch.Tensor]:
        config, terms = self._config.losses, {}
        chosen = self._choose(len(self._samples.points), self._config.sampling.signed)
        samples = SignSamples(*(tensor[chosen] for tensor in self._samples))
        values = self._field.value(samples.points)
        if config.sign > 0:
            terms["sign"] = config.sign * losses.sign_loss(
                values, samples.distances, samples.signs, samples.confidences
            )
        if config.sal > 0:
            terms["sal"] = config.sal * losses.unsigned_distance_loss(values, samples.distances)
        return terms

    def _data_share(self) -> float:
        count = len(self._cloud.points)
        return count / (count + self.isopoint_count) if self._config.losses.share_by_count else 1.0

    def _choose(self, population: int, count: int) -> torch.Tensor:
        return torch.randint(population, (count,), generator=self._generator).to(self._cloud.points.device)

    def _space_samples(self, chosen: torch.Tensor) -> torch.Tensor:
        config, points = self._config.sampling, self._cloud.points
        centers = points[chosen[self._choose(len(chosen), config.gaussian)]]
        noise = torch.randn(centers.shape, generator=self._generator).to(points)
        uniform = torch.rand((config.uniform, 3), generator=self._generator).to(points)
        return torch.cat(((centers + config.gaussian_std * noise).clamp(-1, 1), 2 * uniform - 1))

    def _isopoint_batch(self) -> Isopoints:
        if self._isopoints is None:
            empty = self._cloud.points[:0]
            return Isopoints(empty, empty, empty, empty[:, 0])
        count = self._config.sampling.isopoints
        if not 0 < count < self.isopoint_count:
            return self._isopoints
        chosen = self._choose(self.isopoint_count, count)
        return Isopoints(*(tensor[chosen] for tensor in self._isopoints))

    @torch.no_grad()
    def _extract(self) -> Isopoints:
        config = self._config.isopoints
        count = config.count or len(self._cloud.points) // 16
        if (edge_aware := config.extraction.edge_aware) is not None:
            count = round(edge_aware.growth * count)
        seeds = self._cloud.points if self._isopoints is None else self._isopoints.points
        found = extract_isopoints(self._field.value_and_gradient, count, config.extraction, seeds, self._generator)
        gradients = self._gradients(found)
        if config.consolidate_cells > 0:
            cell = finest_cell(self._cloud.noise, self._cloud.spacing, averaged=True)
            width = max(config.consolidate_cells * cell, self._cloud.spacing)  # enough points to average
            moved = consolidate(found.points, gradients, self._scan(), width)
            return Isopoints(
                moved.points, moved.normals, gradients, moved.confidences * self._of_a_face(found, gradients)
            )
        normals = estimate_normals(found.points, config.normal_neighbors)
        return Isopoints(found.points, normals, gradients, torch.ones_like(found.values))

    def _gradients(self, found: Projection) -> torch.Tensor:
        """(M, 3) unit gradients of the field, which edge-aware iso-points have replaced."""
        if self._config.isopoints.extraction.edge_aware is None:
            return found.normals
        return functional.normalize(evaluate_in_chunks(self._field.value_and_gradient, found.points)[1], dim=1)

    def _of_a_face(self, found: Projection, gradients: torch.Tensor) -> torch.Tensor:
        """(M,) 0 at edges, where edge-aware normals are of one face and the gradient is of none: the average of the
        scan around mixes both faces and would bevel the edge. 1 elsewhere."""
        edge_aware = self._config.isopoints.extraction.edge_aware
        if edge_aware is None:
            return torch.ones_like(found.values)
        least = math.cos(math.radians(edge_aware.angle_degrees))
        return ((gradients * found.normals).sum(dim=1) > least).to(gradients)

    def _scan(self) -> Scan:
        """The scan with the field at its points."""
        values, gradients = evaluate_in_chunks(self._field.value_and_gradient, self._cloud.points)
        gradients = functional.normalize(gradients, dim=1)
        return Scan(self._cloud.points, self._cloud.normals, values, gradients, self._weights)
