"""The optimizer of fit-points and its learning rates."""

import torch
from torch import nn

from isopts.field.grid import GridField
from isopts.field.lazy_adam import LazyAdam
from isopts.fit.points_config import OptimizerConfig
from isopts.fit.schedule import exponential_decay, halvings, warm_up


def build_optimizer(field: nn.Module, config: OptimizerConfig) -> torch.optim.Optimizer | LazyAdam:
    """Adam; for the grid decoder one that only touches the features that were sampled, at a rate of their own."""
    betas = (0.9, config.second_moment_decay)
    if not isinstance(field, GridField):
        return torch.optim.Adam(field.parameters(), lr=config.learning_rate, betas=betas)
    field.accumulate_in_place = True
    network = [parameter for name, parameter in field.named_parameters() if name != "table"]
    table = {"params": [field.table], "lr": config.table_learning_rate}
    return LazyAdam([{"params": network, "lr": config.learning_rate}, table], betas=betas)


def learning_rate_factor(config: OptimizerConfig, step: int, total_steps: int) -> float:
    """Factor on every rate at `step`, counted from 1."""
    rise = warm_up(step, config.warm_up_steps)
    match config.schedule:
        case "exponential":
            return rise * exponential_decay(step, total_steps, config.decay_start, config.decay_final)
        case "halvings":
            return rise * halvings(step, config.halve_at)
