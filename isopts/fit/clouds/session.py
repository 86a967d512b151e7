"""One fit of a point cloud, new or continued: field, objective and optimizer, and what they leave in the run folder."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from isopts.field.build import build_field, restore_field
from isopts.fit.clouds.config import PointsConfig
from isopts.fit.clouds.objective import Isopoints, PointsObjective
from isopts.fit.clouds.prepared_cloud import PreparedCloud
from isopts.fit.clouds.settling import Settling
from isopts.fit.clouds.sign_samples import draw_sign_samples
from isopts.fit.fitted.fitted_field import FittedField
from isopts.fit.fitted.outputs import Stopwatch, write_outputs
from isopts.fit.fitted.support import SUPPORT_REACH, SUPPORT_TENSORS, Support, judge_support
from isopts.fit.loop import EndReason, LoopCallbacks, LoopLimits, run_loop
from isopts.fit.optimizer import build_optimizer, learning_rate_factor
from isopts.fit.schedule import is_due
from isopts.fit.stored_state import restore_generator, restore_optimizer, stored_tensor
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.isopoints.extract import IsoPointsConfig
from isopts.kernels.neighbors import nearest_neighbors
from isopts.mesh.components import largest_component, supported_components
from isopts.run.checkpoint import Checkpoint, save_checkpoint
from isopts.run.folder import RunFolder
from isopts.run.log import StepReport, append_to_log, drop_log_after

COMMAND = "fit-points"
_TRUSTED = 0.3  # weight from which on a point of the scan supports the surface
_SUPPORT_POINTS = 4000  # iso-points that judge the support when the fit has none


class PointsSession:
    """The field, the objective and the optimizer of one run, new or continued."""

    def __init__(
        self,
        config: PointsConfig,
        cloud: PreparedCloud,
        folder: RunFolder,
        checkpoint: Checkpoint | None,
    ):
        self._config, self._cloud, self._folder = config, cloud, folder
        self._device = cloud.points.device
        self._generator = torch.Generator().manual_seed(config.seed)
        samples = None
        if config.sampling.signed > 0:
            samples = draw_sign_samples(cloud, config.sampling.signed_pool, self._generator)
        self._field = self._build_field(checkpoint).to(self._device)
        self._objective = PointsObjective(self._field, cloud, samples, config, self._generator)
        self._optimizer = build_optimizer([(self._field, config.optimizer)], config.optimizer.second_moment_decay)
        self._settling = Settling(
            config.fit.steps, config.optimizer.decay_start, config.fit.settle_window, config.fit.settle
        )
        self._finished = (0, 0.0)
        if checkpoint is not None:
            self._continue(checkpoint)
        self.step = self._finished[0]
        drop_log_after(folder.log, self.step)

    def summary(self) -> str:
        field, noise = self._config.field, self._cloud.noise / self._cloud.frame.scale
        size = f", finest grid level {field.grid.finest_resolution}" if field.decoder == "grid" else ""
        cloud = f"{len(self._cloud.points):,} points, noise about {noise:.2g} in the scan's unit"
        return f"{cloud}; {field.decoder} field{size}."

    def run(
        self, exit_after: float | None, on_step: Callable[[StepReport], None], stop: Callable[[], bool]
    ) -> tuple[int, EndReason]:
        """Step until done, `exit_after` seconds at most; the folder's log and checkpoint follow."""

        def log(report: StepReport) -> None:
            append_to_log(self._folder.log, report)
            on_step(report)

        config = self._config
        limits = LoopLimits(
            lambda: self._settling.total_steps,
            config.fit.log_every,
            config.fit.checkpoint_every,
            exit_after,
            config.optimizer.gradient_norm_max or None,
        )
        callbacks = LoopCallbacks(log, self._save, stop, self._on_finished_step)

        def factor(step: int) -> float:
            return learning_rate_factor(config.optimizer, step, step / self._settling.total_steps)

        step, _, reason = run_loop(self._objective, self._optimizer, factor, limits, callbacks, self._finished)
        return step, reason

    def write_outputs(self, step: int, stopwatch: Stopwatch) -> dict[str, float | int]:
        config, fitted = self._config, self._fitted(step)
        return write_outputs(fitted, config.output, self._folder, stopwatch, config.seed, self._clean)

    def _clean(self, mesh: TriangleMesh) -> TriangleMesh:
        """Without what the trusted points of the scan do not support: shells, bubbles around outliers; for an open
        surface, all that is beyond the scan."""
        if self._config.output.open:
            return replace(self._fitted(self.step), support=self._support()).trim(mesh, self._config.output.reach)
        trusted = self._cloud.points[self._objective.weights > _TRUSTED]
        if len(trusted) == 0:
            return largest_component(mesh)
        vertices = self._cloud.frame.to_unit(mesh.vertices, self._device)
        distances = nearest_neighbors(vertices, trusted, 1).squared_distances[:, 0].sqrt()
        reach = SUPPORT_REACH * max(self._cloud.noise, self._cloud.spacing)
        return supported_components(mesh, (distances <= reach).cpu().numpy())

    def _build_field(self, checkpoint: Checkpoint | None) -> nn.Module:
        if checkpoint is None:
            generator = torch.Generator().manual_seed(self._config.seed)
            return build_field(self._config.field, generator)
        return restore_field(checkpoint.config["field"], checkpoint.field, str(self._folder.checkpoint))

    def _continue(self, checkpoint: Checkpoint) -> None:
        source, tensors = str(self._folder.checkpoint), checkpoint.tensors
        restore_optimizer(self._optimizer, checkpoint.optimizer, checkpoint.step, source)
        restore_generator(self._generator, checkpoint.random_states, "fit", source)
        if "isopoint_points" in tensors:
            points = stored_tensor(tensors, "isopoint_points", (-1, 3), source)
            shapes = Isopoints((len(points), 3), (len(points), 3), (len(points), 3), (len(points),))
            stored = (
                stored_tensor(tensors, f"isopoint_{name}", shape, source) for name, shape in shapes._asdict().items()
            )
            self._objective.use_isopoints(Isopoints(*(tensor.to(self._cloud.points) for tensor in stored)))
        if "settling" in tensors:  # not before it existed
            self._settling.restore(stored_tensor(tensors, "settling", (3,), source))
        self._finished = (checkpoint.step, float(stored_tensor(tensors, "seconds", (), source)))

    def _support(self) -> Support:
        """At the iso-points in use; at new ones in a fit without."""
        if (isopoints := self._objective.isopoints) is not None:
            points, normals = isopoints.points, isopoints.gradients
        else:
            found = self._fitted(self.step).isopoints(_SUPPORT_POINTS, IsoPointsConfig(), self._config.seed)
            points, normals = found.points, found.normals
        trusted = self._objective.weights > _TRUSTED
        if int(trusted.sum()) < 2:
            trusted = torch.ones_like(trusted)
        scan = self._cloud.points[trusted], self._cloud.normals[trusted]
        return judge_support(points, normals, *scan, self._cloud.noise)

    def _save(self, step: int, seconds: float, last: bool) -> None:
        tensors = {"seconds": torch.tensor(seconds, dtype=torch.float64), "settling": self._settling.state()}
        if (isopoints := self._objective.isopoints) is not None:
            tensors |= {f"isopoint_{name}": tensor for name, tensor in isopoints._asdict().items()}
            if last:  # for `isopts mesh --open`; it costs a search for neighbours
                support = self._support()
                tensors |= dict(zip(SUPPORT_TENSORS, (support.clearances, support.spacings), strict=True))
        save_checkpoint(
            self._folder.checkpoint,
            Checkpoint(
                command=COMMAND,
                step=step,
                config=self._config.model_dump(mode="json"),
                frame=self._cloud.frame,
                field=self._field.state_dict(),
                optimizer=self._optimizer.state_dict(),
                random_states={"fit": self._generator.get_state()},
                tensors=tensors,
            ),
        )

    def _on_finished_step(self, step: int, terms: dict[str, torch.Tensor], renewed: bool) -> None:
        self.step = step
        self._settling.observe(step, float(terms["data"].detach()))
        config, fitted = self._config, self._fitted(step)
        extractions = (step - config.isopoints.first_step) // config.isopoints.every_steps
        if renewed and is_due(extractions, 0, config.isopoints.write_every):
            isopoints = self._objective.isopoints
            fitted.write_isopoints(self._folder.step_isopoints(step), isopoints.points, isopoints.gradients)
        if is_due(step, config.fit.mesh_every, config.fit.mesh_every):
            fitted.write_mesh(self._folder.step_mesh(step), self._clean(fitted.mesh(config.output.mesh)))

    def _fitted(self, step: int) -> FittedField:
        return FittedField(self._field, self._cloud.frame, step, self._config.field.decoder)
