"""fit-points: from a scan on disk to a finished run folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from isopts.config import config_from_dict, dump_config
from isopts.data.points import read_points
from isopts.errors import DivergedError, InputError
from isopts.field.build import build_field, restore_field
from isopts.field.grid import GridField
from isopts.field.lazy_adam import LazyAdam
from isopts.fit.fitted_field import FittedField
from isopts.fit.loop import EndReason, LoopCallbacks, LoopLimits, run_loop
from isopts.fit.outputs import Stopwatch, write_outputs
from isopts.fit.points_config import OptimizerConfig, PointsConfig
from isopts.fit.points_objective import Isopoints, PointsObjective
from isopts.fit.prepared_cloud import PreparedCloud, prepare_cloud
from isopts.fit.schedule import exponential_decay, halvings, is_due, warm_up
from isopts.fit.sign_samples import draw_sign_samples
from isopts.run.atomic import replacing
from isopts.run.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from isopts.run.folder import RunFolder
from isopts.run.log import StepReport, append_to_log, drop_log_after
from isopts.run.provenance import command_line, device_name, file_sha256, versions
from isopts.run.record import RunRecord, Status

COMMAND = "fit-points"


@dataclass(frozen=True)
class PointsRun:
    """What to fit and where to write. exit_after: seconds of fitting, None without limit."""

    input: Path
    output: Path
    device: torch.device
    overwrite: bool = False
    resume: bool = False
    exit_after: float | None = None


@dataclass(frozen=True)
class FitResult:
    """reason: why the fit ended. metrics: empty when it was interrupted. seconds: stage -> duration."""

    folder: RunFolder
    reason: EndReason
    step: int
    metrics: dict[str, float | int]
    seconds: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for --json."""
        return {
            "run": str(self.folder.path),
            "reason": self.reason,
            "step": self.step,
            "seconds": self.seconds,
            "metrics": self.metrics,
        }

    def rows(self) -> list[tuple[str, str]]:
        """What to show: name and value of each line."""
        total = sum(self.seconds.values())
        stages = ", ".join(f"{name} {seconds:.1f}" for name, seconds in self.seconds.items())
        rows = [("run", str(self.folder.path)), ("fit", f"{self.reason} at step {self.step}")]
        if self.metrics:
            closed = "closed" if self.metrics["mesh_closed"] else "open"
            rows.append(("mesh", f"{self.folder.mesh}, {self.metrics['mesh_faces']:,} faces, {closed}"))
            if "spacing_variation" in self.metrics:
                count, residual = self.metrics["count"], self.metrics["residual_max"]
                spread = f"largest |f| {residual:.1e}, spacing variation {self.metrics['spacing_variation']:.2f}"
                rows.append(("iso-points", f"{self.folder.isopoints}, {count:,} points, {spread}"))
            if self.folder.preview.is_file():
                rows.append(("preview", str(self.folder.preview)))
        return [*rows, ("seconds", f"{total:.1f} = {stages}")]


def fit_points(
    run: PointsRun,
    config: PointsConfig,
    on_step: Callable[[StepReport], None],
    on_note: Callable[[str], None],
    stop: Callable[[], bool],
) -> FitResult:
    """Fit a field to the scan `run.input` and write the run folder `run.output`.

    A resumed run takes its configuration from the folder; `config` is used when there is no checkpoint yet.

    Args:
        on_step: progress. on_note: sentences about the input. stop: polled every step; True ends the fit after a
            checkpoint, without mesh.

    Raises:
        InputError: unusable input or run folder, or a resumed run whose input has changed.
        DivergedError: the loss is not finite, or there is no surface.
    """
    stopwatch = Stopwatch()
    with stopwatch.stage("read"):
        cloud, report = read_points(run.input)
        sha256 = file_sha256(run.input)
    folder = RunFolder.open(run.output, run.overwrite, run.resume)
    checkpoint = _checkpoint_to_resume(run, folder, sha256)
    if checkpoint is not None:
        config = config_from_dict(PointsConfig, checkpoint.config, str(folder.checkpoint))
    with stopwatch.stage("prepare"):
        prepared = prepare_cloud(cloud, config.prepare, run.device)
        config = _resolve(config, prepared)
        fit = _PointsFit(run, config, prepared, folder, checkpoint)
    for note in [*report.sentences(), *prepared.notes, fit.summary()]:
        on_note(note)
    record = _record(run, config, prepared, sha256)
    with replacing(folder.config) as temporary:
        temporary.write_text(dump_config(config), encoding="utf-8")
    folder.write_record(record)

    def close(status: Status, step: int) -> None:
        folder.write_record(record.model_copy(update={"status": status, "step": step, "seconds": stopwatch.seconds}))

    try:
        with stopwatch.stage("fit"):
            step, reason = fit.run(on_step, stop)
        if reason == "interrupted":
            close("interrupted", step)
            return FitResult(folder, reason, step, {}, stopwatch.seconds)
        metrics = fit.write_outputs(step, stopwatch)
    except DivergedError:
        close("diverged", fit.step)
        raise
    close("finished", step)
    return FitResult(folder, reason, step, metrics, stopwatch.seconds)


class _PointsFit:
    """The field, the objective and the optimizer of one run, new or continued."""

    def __init__(
        self,
        run: PointsRun,
        config: PointsConfig,
        cloud: PreparedCloud,
        folder: RunFolder,
        checkpoint: Checkpoint | None,
    ):
        self._run, self._config, self._cloud, self._folder = run, config, cloud, folder
        self._generator = torch.Generator().manual_seed(config.seed)
        samples = None
        if config.sampling.signed > 0:
            samples = draw_sign_samples(cloud, config.sampling.signed_pool, self._generator)
        self._field = self._build_field(checkpoint).to(run.device)
        self._objective = PointsObjective(self._field, cloud, samples, config, self._generator)
        self._optimizer = build_optimizer(self._field, config.optimizer)
        self._finished = (0, 0.0)
        if checkpoint is not None:
            self._continue(checkpoint)
        self.step = self._finished[0]

    def summary(self) -> str:
        field, noise = self._config.field, self._cloud.noise / self._cloud.frame.scale
        size = f", finest grid level {field.grid.finest_resolution}" if field.decoder == "grid" else ""
        return f"{len(self._cloud.points):,} points, noise about {noise:.3g} of your unit; {field.decoder} field{size}."

    def run(self, on_step: Callable[[StepReport], None], stop: Callable[[], bool]) -> tuple[int, EndReason]:
        """Step until done; the folder's log and checkpoint follow."""

        def log(report: StepReport) -> None:
            append_to_log(self._folder.log, report)
            on_step(report)

        config = self._config
        limits = LoopLimits(
            config.fit.steps,
            config.fit.log_every,
            config.fit.checkpoint_every,
            self._run.exit_after,
            config.optimizer.gradient_norm_max or None,
        )
        callbacks = LoopCallbacks(log, self._save, stop, self._on_finished_step)
        step, _, reason = run_loop(
            self._objective, self._optimizer, self._learning_rate_factor, limits, callbacks, self._finished
        )
        return step, reason

    def write_outputs(self, step: int, stopwatch: Stopwatch) -> dict[str, float | int]:
        return write_outputs(self._fitted(step), self._config.output, self._folder, stopwatch, self._config.seed)

    def _build_field(self, checkpoint: Checkpoint | None) -> nn.Module:
        if checkpoint is None:
            generator = torch.Generator().manual_seed(self._config.seed)
            return build_field(self._config.field, generator)
        return restore_field(checkpoint.config["field"], checkpoint.field)

    def _continue(self, checkpoint: Checkpoint) -> None:
        self._optimizer.load_state_dict(checkpoint.optimizer)
        if "isopoint_points" in checkpoint.tensors:
            stored = (checkpoint.tensors[f"isopoint_{name}"] for name in Isopoints._fields)
            self._objective.use_isopoints(Isopoints(*(tensor.to(self._run.device) for tensor in stored)))
        self._generator.set_state(checkpoint.random_states["fit"])
        self._finished = (checkpoint.step, float(checkpoint.tensors["seconds"]))
        drop_log_after(self._folder.log, checkpoint.step)

    def _save(self, step: int, seconds: float) -> None:
        tensors = {"seconds": torch.tensor(seconds, dtype=torch.float64)}
        if (isopoints := self._objective.isopoints) is not None:
            tensors |= {f"isopoint_{name}": tensor for name, tensor in isopoints._asdict().items()}
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

    def _on_finished_step(self, step: int, renewed: bool) -> None:
        self.step = step
        config, fitted = self._config, self._fitted(step)
        extractions = (step - config.isopoints.first_step) // config.isopoints.every_steps
        if renewed and is_due(extractions, 0, config.isopoints.write_every):
            isopoints = self._objective.isopoints
            fitted.write_isopoints(self._folder.step_isopoints(step), isopoints.points, isopoints.gradients)
        if is_due(step, config.fit.mesh_every, config.fit.mesh_every):
            fitted.write_mesh(self._folder.step_mesh(step), fitted.mesh(config.output.mesh))

    def _fitted(self, step: int) -> FittedField:
        return FittedField(self._field, self._cloud.frame, step, self._config.field.decoder)

    def _learning_rate_factor(self, step: int) -> float:
        config = self._config.optimizer
        rise = warm_up(step, config.warm_up_steps)
        match config.schedule:
            case "exponential":
                return rise * exponential_decay(step, self._config.fit.steps, config.decay_start, config.decay_final)
            case "halvings":
                return rise * halvings(step, config.halve_at)


def build_optimizer(field: nn.Module, config: OptimizerConfig) -> torch.optim.Optimizer:
    """Adam; for the grid decoder one that only touches the features that were sampled, at a rate of their own."""
    betas = (0.9, config.second_moment_decay)
    if not isinstance(field, GridField):
        return torch.optim.Adam(field.parameters(), lr=config.learning_rate, betas=betas)
    field.accumulate_in_place = True
    network = [parameter for name, parameter in field.named_parameters() if name != "table"]
    table = {"params": [field.table], "lr": config.table_learning_rate}
    return LazyAdam([{"params": network, "lr": config.learning_rate}, table], betas=betas)


def grid_resolution(noise: float, spacing: float) -> int:
    """Cells along the side of 2 that resolve a scan's detail and not its noise (both in the unit frame)."""
    cell = max(4.2 * noise, 2.5 * spacing)
    return int(min(256, max(24, 2 / cell)))


def _resolve(config: PointsConfig, cloud: PreparedCloud) -> PointsConfig:
    if not (config.follow_noise and config.field.decoder == "grid"):
        return config
    finest = max(config.field.grid.base_resolution, grid_resolution(cloud.noise, cloud.spacing))
    grid = config.field.grid.model_copy(update={"finest_resolution": finest})
    return config.model_copy(update={"field": config.field.model_copy(update={"grid": grid})})


def _checkpoint_to_resume(run: PointsRun, folder: RunFolder, sha256: str) -> Checkpoint | None:
    if not (run.resume and folder.checkpoint.is_file()):
        return None
    record = folder.read_record()
    if record is not None and record.input_sha256 != sha256:
        raise InputError(
            f"'{run.input}' is not the scan that the run in '{folder.path}' was started with; "
            "give the same file, or another folder with -o."
        )
    checkpoint = load_checkpoint(folder.checkpoint)
    if checkpoint.command != COMMAND:
        raise InputError(f"'{folder.path}' holds a {checkpoint.command} run; choose another folder with -o.")
    return checkpoint


def _record(run: PointsRun, config: PointsConfig, cloud: PreparedCloud, sha256: str) -> RunRecord:
    return RunRecord(
        command=COMMAND,
        command_line=command_line(),
        versions=versions(),
        seed=config.seed,
        device=str(run.device),
        device_name=device_name(run.device),
        threads=torch.get_num_threads(),
        kernel_backends={"neighbors": "warp", "grid_encoding": "warp", "winding_number": "warp"},
        input=str(run.input),
        input_sha256=sha256,
        frame=cloud.frame,
    )
