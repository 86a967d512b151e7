"""Adam and its learning rates, for every fit."""

from typing import Any, Literal

import torch
from pydantic import Field
from torch import nn

from isopts.config import StrictModel
from isopts.field.lazy_adam import LazyAdam
from isopts.fit.schedule import exponential_decay, halvings, warm_up


class Rates(StrictModel):
    """Learning rates of one network."""

    learning_rate: float = Field(2e-3, gt=0, description="of the network")
    table_learning_rate: float = Field(1e-2, gt=0, description="of the grid decoder's features")


class OptimizerConfig(Rates):
    """Adam and its schedule."""

    warm_up_steps: int = Field(20, ge=0, description="steps in which the rates rise linearly")
    schedule: Literal["exponential", "halvings"] = Field("exponential", description="how the rates fall")
    decay_start: float = Field(0.4, ge=0, lt=1, description="share of the steps after which exponential decay starts")
    decay_final: float = Field(0.05, gt=0, le=1, description="factor that exponential decay reaches at the last step")
    halve_at: tuple[int, ...] = Field((10_000, 20_000), description="steps at which the rates are halved")
    second_moment_decay: float = Field(0.99, gt=0, lt=1, description="Adam's second beta")
    gradient_norm_max: float = Field(0.0, ge=0, description="gradients are scaled down to this norm; 0: never")


def build_optimizer(
    parts: list[tuple[nn.Module, Rates]], second_moment_decay: float
) -> torch.optim.Optimizer | LazyAdam:
    """Adam over networks, each with rates of its own; with a feature grid among them one that only touches the features
    that were sampled, whose gradients the grids then add up in place."""
    betas = (0.9, second_moment_decay)
    groups = [group for module, rates in parts for group in _groups(module, rates)]
    if not any(hasattr(module, "table") for module, _ in parts):
        return torch.optim.Adam(groups, betas=betas)
    for module, _ in parts:
        module.accumulate_in_place = True
    return LazyAdam(groups, betas=betas)


def _groups(module: nn.Module, rates: Rates) -> list[dict[str, Any]]:
    table = [parameter for name, parameter in module.named_parameters() if name == "table"]
    network = [parameter for name, parameter in module.named_parameters() if name != "table"]
    groups = [{"params": network, "lr": rates.learning_rate}]
    return groups + [{"params": table, "lr": rates.table_learning_rate}] * bool(table)


def scale_rates(optimizer: torch.optim.Optimizer | LazyAdam, factor: float) -> None:
    """Set every group's rate to `factor` times what it was built with."""
    for group in optimizer.param_groups:
        group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor


def learning_rate_factor(config: OptimizerConfig, step: int, progress: float) -> float:
    """Factor on every rate at `step`, counted from 1, when the share `progress` of the fit is done."""
    rise = warm_up(step, config.warm_up_steps)
    match config.schedule:
        case "exponential":
            return rise * exponential_decay(progress, config.decay_start, config.decay_final)
        case "halvings":
            return rise * halvings(step, config.halve_at)
