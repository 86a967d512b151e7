"""The loop that every fit shares: steps, learning rates, divergence, time limit, progress."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import torch

from isopts.errors import DivergedError
from isopts.fit.optimizer import scale_rates
from isopts.run.log import StepReport

EndReason = Literal["finished", "time limit", "interrupted"]


class Objective(Protocol):
    """What is minimised. All randomness comes from generators that its owner saves in checkpoints."""

    @property
    def isopoint_count(self) -> int:
        """Iso-points in use now."""

    def refresh(self, step: int) -> str | None:
        """Called before each step: iso-points, weights. A sentence for the user when something was renewed."""

    def losses(self, step: int) -> dict[str, torch.Tensor]:
        """The weighted terms (scalars), whose sum is minimised."""


class Optimizer(Protocol):
    """What the loop uses of a torch.optim.Optimizer, which isopts.field.lazy_adam.LazyAdam is not."""

    param_groups: list[dict[str, Any]]

    def zero_grad(self) -> None:
        """Forget the gradients."""

    def step(self) -> None:
        """One step along them."""


@dataclass(frozen=True)
class LoopLimits:
    """total_steps: where the fit ends, asked at every step. log_every, checkpoint_every: steps. exit_after: fitting
    seconds of this process, None without limit. gradient_norm_max: gradients are scaled down to it, None for no
    clipping."""

    total_steps: Callable[[], int]
    log_every: int
    checkpoint_every: int
    exit_after: float | None = None
    gradient_norm_max: float | None = None


@dataclass(frozen=True)
class LoopCallbacks:
    """on_step: after every logged step. save: store a checkpoint of the finished step, given the seconds so far and
    whether it is the last one of this process. stop: polled every step.
    on_finished_step: after every step, with its terms and whether the iso-points that steered it were new."""

    on_step: Callable[[StepReport], None]
    save: Callable[[int, float, bool], None]
    stop: Callable[[], bool]
    on_finished_step: Callable[[int, dict[str, torch.Tensor], bool], None]


def run_loop(
    objective: Objective,
    optimizer: Optimizer,
    learning_rate_factor: Callable[[int], float],
    limits: LoopLimits,
    callbacks: LoopCallbacks,
    finished: tuple[int, float] = (0, 0.0),
) -> tuple[int, float, EndReason]:
    """Run the steps that are left and save a checkpoint at the end, whatever ended it.

    Args:
        learning_rate_factor: step -> factor on every group's `initial_lr`.
        finished: steps and seconds of an earlier process that this one continues.

    Returns the finished steps, the seconds over all processes, and why the loop ended.
    Raises DivergedError when the loss is not finite; the latest checkpoint stays as it is.
    """
    step, seconds_before = finished
    started = time.monotonic()
    reason: EndReason = "finished"
    while step < limits.total_steps():
        elapsed = time.monotonic() - started
        if callbacks.stop():
            reason = "interrupted"
            break
        if limits.exit_after is not None and elapsed >= limits.exit_after:
            reason = "time limit"
            break
        message = objective.refresh(step + 1)
        step += 1
        terms = _step(objective, optimizer, learning_rate_factor(step), limits.gradient_norm_max, step)
        callbacks.on_finished_step(step, terms, message is not None)
        total_steps = limits.total_steps()
        seconds = seconds_before + time.monotonic() - started
        if message is not None or step % limits.log_every == 0 or step == total_steps:
            callbacks.on_step(_report(terms, step, total_steps, seconds, objective, optimizer, message))
        if step % limits.checkpoint_every == 0 and step < total_steps:
            callbacks.save(step, seconds, False)
    seconds = seconds_before + time.monotonic() - started
    callbacks.save(step, seconds, True)
    return step, seconds, reason


def _step(
    objective: Objective,
    optimizer: Optimizer,
    factor: float,
    gradient_norm_max: float | None,
    step: int,
) -> dict[str, torch.Tensor]:
    optimizer.zero_grad()  # before the forward pass, which may add to the gradients already
    terms = objective.losses(step)
    total = torch.stack(list(terms.values())).sum()
    if not math.isfinite(total.detach()):
        values = ", ".join(f"{name} {float(term.detach()):.3g}" for name, term in terms.items())
        raise DivergedError(f"The fit diverged at step {step}: {values}; lower the learning rates and try again.")
    total.backward()
    if gradient_norm_max is not None:
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, gradient_norm_max)
    scale_rates(optimizer, factor)
    optimizer.step()
    return {**terms, "total": total}


def _report(
    terms: dict[str, torch.Tensor],
    step: int,
    total_steps: int,
    seconds: float,
    objective: Objective,
    optimizer: Optimizer,
    message: str | None,
) -> StepReport:
    return StepReport(
        step=step,
        total_steps=total_steps,
        seconds=seconds,
        losses={name: float(term.detach()) for name, term in terms.items()},
        isopoints=objective.isopoint_count,
        message=message,
        learning_rate=optimizer.param_groups[0]["lr"],
    )
