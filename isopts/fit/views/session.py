"""One fit of posed images, new or continued: networks, objective and optimizer, and what they leave in the folder."""

import copy
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch

from isopts.data.pictures import write_picture
from isopts.data.view_formats.idr_writer import write_idr_cameras
from isopts.field.build import restore_field
from isopts.field.radiance import build_radiance
from isopts.fit.budget import Budget, fitting_seconds, overrun_note
from isopts.fit.cameras.motion import camera_motion
from isopts.fit.cameras.refinement import CameraRefinement
from isopts.fit.colors.exposure import Exposures
from isopts.fit.colors.finish import FinishedSurface, finish_colors
from isopts.fit.fitted.appearance import Appearance, stored_appearance
from isopts.fit.fitted.fitted_field import FittedField
from isopts.fit.fitted.outputs import Stopwatch, write_outputs
from isopts.fit.fitted.view_preview import compare_view, sampled_copy
from isopts.fit.loop import EndReason, LoopCallbacks, LoopLimits, run_loop
from isopts.fit.optimizer import Rates, build_optimizer, learning_rate_factor
from isopts.fit.schedule import is_due
from isopts.fit.stored_state import restore_generator, restore_optimizer, restore_parameters, stored_tensor
from isopts.fit.views.config import MvrConfig
from isopts.fit.views.mask_offset import MASK_OFFSET
from isopts.fit.views.objective import MvrObjective
from isopts.fit.views.prepared_views import PreparedViews
from isopts.fit.views.start import started_field
from isopts.fit.views.state import objective_tensors, restore_objective
from isopts.geometry.camera_corrections import CameraCorrections
from isopts.geometry.sphere import Sphere
from isopts.mesh.components import solid_components
from isopts.run.atomic import replacing
from isopts.run.checkpoint import Checkpoint, save_checkpoint
from isopts.run.folder import RunFolder
from isopts.run.log import StepReport, append_to_log, drop_log_after

COMMAND = "fit-mvr"
_EXPOSURE, _UNFINISHED = "exposure.", "unfinished_radiance."
_FIT_SECONDS = "fit_seconds"
_COLOR_STEP, _COLOR_STEP_ALONE = 0.38, 0.54  # time of a step of the finish, in steps of a fit with photo and without
_CORRECTIONS, _ROUNDS = "refinement.corrections", "refinement.rounds"


class MvrSession:
    """The networks, the objective and the optimizer of one run."""

    def __init__(
        self,
        config: MvrConfig,
        views: PreparedViews,
        folder: RunFolder,
        checkpoint: Checkpoint | None,
        began: float,
    ):
        """began: time.monotonic() when the command did."""
        self._config, self._given, self._folder = config, views, folder
        self._device = views.images.masks.device
        self._generator = torch.Generator().manual_seed(config.seed)
        self._refinement = self._camera_refinement(checkpoint) if config.cameras.enabled else None
        self._start = ""
        self._field, self._radiance = self._networks(checkpoint)
        self._finished_radiance: torch.nn.Module | None = None
        finished = (0, 0.0)
        if checkpoint is not None:
            seconds = stored_tensor(checkpoint.tensors, "seconds", (), str(folder.checkpoint))
            finished = (checkpoint.step, float(seconds))
        self._finished, self.step, self._seconds = finished, finished[0], finished[1]
        self._budget: Budget | None = None
        self._stop: Callable[[], bool] = lambda: False
        self._exposures = Exposures(len(views.fitted)).to(self._device) if config.exposure.enabled else None
        self._objective = MvrObjective(
            self._field,
            self._radiance,
            self._views,
            config,
            self._generator,
            lambda step: self._budget.progress(step),
            self._exposures,
            self._refinement,
        )
        parts = [(self._field, config.optimizer)]
        if config.losses.color > 0:
            parts.append((self._radiance, config.radiance_rates))
        if self._exposures is not None:
            parts.append((self._exposures, Rates(learning_rate=config.exposure.learning_rate)))
        self._optimizer = build_optimizer(parts, config.optimizer.second_moment_decay)
        if checkpoint is not None:
            self._continue(checkpoint)
        self._fit_seconds = self._seconds_of_fitting(checkpoint, time.monotonic() - began)
        drop_log_after(folder.log, self.step)

    @property
    def _views(self) -> PreparedViews:
        """With the cameras as they are now."""
        return self._given if self._refinement is None else self._refinement.views

    def summary(self) -> str:
        views, sizes = len(self._views.fitted), self._views.cameras.sizes
        width, height = sizes.double().mean(dim=0).round().long().tolist()
        held_out = len(self._config.data.holdout)
        kept = f", {held_out} held out" if held_out else ""
        return (
            f"{views} views of {width}x{height} pixels{kept}, a pixel is {self._views.pixel:.1e} of the unit sphere; "
            f"{self._config.field.decoder} field, colours compared at {self._config.sampling.mode}. {self._start}"
        ).rstrip()

    def run(
        self, exit_after: float | None, on_step: Callable[[StepReport], None], stop: Callable[[], bool]
    ) -> tuple[int, EndReason]:
        """Step until done, `exit_after` seconds at most; the folder's log and checkpoint follow."""
        config, self._stop = self._config, stop
        self._budget = budget = Budget(config.fit.steps, self._fit_seconds, self._finished)

        def log(report: StepReport) -> None:
            append_to_log(self._folder.log, report)
            on_step(report)

        def factor(step: int) -> float:
            return learning_rate_factor(config.optimizer, step, budget.progress(step))

        limits = LoopLimits(
            budget.total_steps,
            config.fit.log_every,
            config.fit.checkpoint_every,
            exit_after,
            config.optimizer.gradient_norm_max or None,
        )
        callbacks = LoopCallbacks(log, self._save, stop, self._on_finished_step)
        step, _, reason = run_loop(self._objective, self._optimizer, factor, limits, callbacks, self._finished)
        return step, reason

    def write_outputs(self, step: int, stopwatch: Stopwatch) -> dict[str, float | int]:
        if step > 0 and self._config.losses.color > 0 and self._config.finish.steps_share > 0:
            with stopwatch.stage("colors"):
                self._finish_colors(step)
            if self._finished_radiance is not None:
                self._save(step, self._seconds, last=True)
        fitted = self._fitted(step)
        with stopwatch.stage("views"):
            self._write_comparison(self._folder.views, fitted)
        figures = {} if self._refinement is None else self._write_cameras()
        return write_outputs(
            fitted, self._config.output, self._folder, stopwatch, self._config.seed, solid_components, figures
        )

    def _seconds_of_fitting(self, checkpoint: Checkpoint | None, spent: float) -> float:
        """Of fit.seconds; a run that goes on keeps to what it began with."""
        if self._config.fit.seconds == 0:
            return 0.0
        if checkpoint is not None:
            return float(stored_tensor(checkpoint.tensors, _FIT_SECONDS, (), str(self._folder.checkpoint)))
        losses = self._config.losses
        colors = self._config.finish.steps_share if losses.color > 0 else 0.0
        share = colors * (_COLOR_STEP if losses.photo > 0 else _COLOR_STEP_ALONE)
        fitting = fitting_seconds(self._config.fit.seconds, spent, share)
        self._start = " ".join(filter(None, (self._start, overrun_note(self._config.fit.seconds, spent, fitting))))
        return fitting

    def _write_cameras(self) -> dict[str, float]:
        """All cameras of the input, those of fitted views refined, in its coordinates; returns how far they moved."""
        frame = self._given.frame
        with replacing(self._folder.cameras) as temporary:
            write_idr_cameras(temporary, self._views.source.cameras, Sphere(frame.center, 1 / frame.scale))
        return camera_motion(self._given.exact_cameras, self._refinement.corrections)

    def _camera_refinement(self, checkpoint: Checkpoint | None) -> CameraRefinement:
        levels = len(self._config.photo.levels) + 1
        refinement = CameraRefinement(self._config.cameras, self._given, self._generator, levels)
        if checkpoint is not None:
            source, tensors = str(self._folder.checkpoint), checkpoint.tensors
            corrections = stored_tensor(tensors, _CORRECTIONS, (len(self._given.fitted), 7), source)
            rounds = int(stored_tensor(tensors, _ROUNDS, (), source))
            refinement.restore(CameraCorrections.from_vectors(corrections), rounds)
        return refinement

    def _finish_colors(self, step: int) -> None:
        """Of the surface as it is now; the fit's own colours stay, so that it can go on."""
        config, generator = self._config.finish, torch.Generator().manual_seed(self._config.seed)
        self._finished_radiance = copy.deepcopy(self._radiance)
        fitted = self._fitted(step)
        steps = math.ceil(config.steps_share * step)
        done = finish_colors(
            self._finished_radiance,
            FinishedSurface(self._field, sampled_copy(fitted)),
            self._objective.colors.drawing_by(generator),
            config,
            steps,
            self._exposures,
            generator,
            self._stop,
        )
        if not done:
            self._finished_radiance = None

    def _networks(self, checkpoint: Checkpoint | None) -> tuple[torch.nn.Module, torch.nn.Module]:
        """Signed distance and colour, on the device."""
        if checkpoint is not None:
            source = str(self._folder.checkpoint)
            field = restore_field(checkpoint.config["field"], checkpoint.field, source).to(self._device)
            radiance = stored_appearance(checkpoint.config, checkpoint.tensors, source, self._device).radiance
            if any(name.startswith(_UNFINISHED) for name in checkpoint.tensors):
                restore_parameters(radiance, checkpoint.tensors, _UNFINISHED, source)
            return field, radiance
        config, weights = self._config, torch.Generator().manual_seed(self._config.seed)
        field, self._start = started_field(config, self._given, self._refinement, weights, self._generator)
        features = config.field.sdf.features if config.field.decoder == "sdf" else 0
        radiance = build_radiance(config.radiance, features, weights)
        return field, radiance.to(self._device)

    def _continue(self, checkpoint: Checkpoint) -> None:
        source, tensors = str(self._folder.checkpoint), checkpoint.tensors
        colors = list(self._radiance.parameters())  # rest until colours count
        restore_optimizer(self._optimizer, checkpoint.optimizer, checkpoint.step, source, colors)
        restore_generator(self._generator, checkpoint.random_states, "fit", source)
        if self._exposures is not None:
            restore_parameters(self._exposures, tensors, _EXPOSURE, source)
        resolution = self._config.fit.sampled_resolution
        restore_objective(self._objective, tensors, len(self._views.fitted), resolution, source)

    def _save(self, step: int, seconds: float, last: bool) -> None:
        self._seconds = seconds
        tensors = {"seconds": torch.tensor(seconds, dtype=torch.float64)}
        tensors[_FIT_SECONDS] = torch.tensor(self._fit_seconds, dtype=torch.float64)
        tensors[MASK_OFFSET] = torch.tensor(self._views.mask_offset, dtype=torch.float64)
        tensors |= self._fitted(step).appearance.tensors()
        if self._finished_radiance is not None:
            tensors |= {_UNFINISHED + name: tensor for name, tensor in self._radiance.state_dict().items()}
        if self._exposures is not None:
            tensors |= {_EXPOSURE + name: tensor for name, tensor in self._exposures.state_dict().items()}
        if self._refinement is not None:
            tensors[_CORRECTIONS] = self._refinement.corrections.vectors()
            tensors[_ROUNDS] = torch.tensor(float(self._refinement.rounds))
        tensors |= objective_tensors(self._objective)
        save_checkpoint(
            self._folder.checkpoint,
            Checkpoint(
                command=COMMAND,
                step=step,
                config=self._config.model_dump(mode="json"),
                frame=self._views.frame,
                field=self._field.state_dict(),
                optimizer=self._optimizer.state_dict(),
                random_states={"fit": self._generator.get_state()},
                tensors=tensors,
            ),
        )

    def _on_finished_step(self, step: int, terms: dict[str, torch.Tensor], renewed: bool) -> None:
        self.step = step
        self._budget.observe(step)
        config = self._config
        isopoints, surfels = config.isopoints, self._objective.surfels
        new = is_due(step, isopoints.first_step, isopoints.every_steps) and surfels is not None
        extractions = 1 + (step - isopoints.first_step) // isopoints.every_steps
        if new and is_due(extractions, 1, isopoints.write_every):
            self._fitted(step).write_isopoints(self._folder.step_isopoints(step), surfels.points, surfels.normals)
        if is_due(step, config.fit.mesh_every, config.fit.mesh_every):
            fitted = self._fitted(step)
            fitted.write_mesh(self._folder.step_mesh(step), solid_components(fitted.mesh(config.output.mesh)))
        if is_due(step, config.fit.preview_every, config.fit.preview_every):
            self._write_comparison(self._folder.step_preview(step), self._fitted(step))

    def _write_comparison(self, path: Path, fitted: FittedField) -> None:
        """A held-out view beside its rendering, where none is held out the first fitted one that was not left out."""
        view = (*self._config.data.holdout, *(self._views.fitted[number] for number in self._kept))[0]
        with replacing(path) as temporary:
            write_picture(temporary, compare_view(fitted, self._views.source, view))

    @property
    def _kept(self) -> list[int]:
        """Numbers of the fitted views that are not left out."""
        agreement = self._objective.agreement
        left_out = () if agreement is None else agreement.left_out_views()
        return [view for view in range(len(self._views.fitted)) if view not in left_out]

    def _fitted(self, step: int) -> FittedField:
        kept = self._kept
        cameras = self._views.cameras.select(kept)
        corrections = None if self._refinement is None else self._refinement.corrections.select(kept)
        exposures = None if self._exposures is None else Exposures.from_vectors(self._exposures.vectors()[kept])
        radiance, has_colors = self._finished_radiance or self._radiance, self._config.losses.color > 0
        appearance = Appearance(radiance, cameras, corrections, has_colors, exposures)
        decoder = self._config.field.decoder
        return FittedField(self._field, self._views.frame, step, decoder, appearance=appearance)
