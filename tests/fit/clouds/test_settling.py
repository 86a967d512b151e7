"""When a loss counts as settled, and what follows from it."""

import numpy as np
import pytest
import torch

from isopts.config import load_config
from isopts.data.points import write_points
from isopts.fit.clouds.config import PointsConfig
from isopts.fit.clouds.settling import Settling
from isopts.fit.conduct import FitRun
from isopts.fit.points import fit_points
from isopts.run.checkpoint import load_checkpoint
from isopts.run.log import read_log


def steps_taken(losses, settling: Settling) -> int:
    for step, loss in enumerate(losses, start=1):
        settling.observe(step, loss)
    return settling.total_steps


def new(tolerance: float = 0.1) -> Settling:
    return Settling(planned_steps=600, decay_start=0.4, window_steps=30, tolerance=tolerance)


def test_a_loss_that_reaches_the_noise_ends_the_fit_early() -> None:
    noisy = np.random.default_rng(0).normal(1, 0.03, size=600) + 20 * np.exp(-np.arange(600) / 15)
    assert steps_taken(noisy, new()) == 150 / 0.4
    assert steps_taken(noisy, new(tolerance=0.0)) == 600


@pytest.mark.parametrize("losses", [0.98 ** np.arange(600), np.tile(np.repeat([1.0, 2.0], 30), 10)])
def test_a_loss_that_falls_or_jumps_is_not_settled(losses: np.ndarray) -> None:
    assert steps_taken(losses, new()) == 600


def test_it_settles_once_and_only_before_the_decay() -> None:
    settling = new()
    assert [step for step in range(1, 601) if settling.observe(step, 1.0)] == [60]
    assert settling.total_steps == 150
    late = np.concatenate([0.9 ** np.arange(240), np.ones(360)])
    assert steps_taken(late, new()) == 600


def test_a_restored_one_decides_alike() -> None:
    losses = np.random.default_rng(1).normal(1, 0.3, size=600)
    for cut in (17, 59, 60, 100):
        first, whole = new(0.05), new(0.05)
        steps_taken(losses, whole)
        for step in range(1, cut + 1):
            first.observe(step, losses[step - 1])
        second = new(0.05)
        second.restore(first.state())
        for step in range(cut + 1, 601):
            second.observe(step, losses[step - 1])
        assert second.total_steps == whole.total_steps


def test_a_fit_ends_early_and_a_stopped_one_ends_alike(tmp_path) -> None:
    directions = np.random.default_rng(0).normal(size=(500, 3))
    write_points(tmp_path / "scan.ply", directions / np.linalg.norm(directions, axis=1, keepdims=True), directions)
    keys = {
        "fit.steps": 100,
        "fit.settle": 100.0,
        "fit.settle_window": 6,
        "fit.log_every": 1,
        "isopoints.enabled": "true",
        "isopoints.first_step": 9,
    }
    changes = [f"{key}={value}" for key, value in keys.items()]
    config = load_config(PointsConfig, "points_preview", [*changes, "output.mesh.resolution=32"])

    def fit(name: str, resume: bool = False, stop_at: int | None = None):
        steps = []
        run = FitRun(tmp_path / "scan.ply", tmp_path / name, torch.device("cpu"), resume=resume)
        stop = lambda: stop_at is not None and len(steps) == stop_at  # noqa: E731
        return fit_points(run, config, lambda report: steps.append(report.step), lambda note: None, stop)

    whole = fit("whole")
    assert whole.step == 30  # settled at step 12, which is 0.4 of them
    rates = [line["learning_rate"] for line in read_log(whole.folder.log)]
    assert rates[-1] == pytest.approx(config.optimizer.decay_final * config.optimizer.learning_rate)
    for stop_at in (9, 20):
        fit(f"stopped {stop_at}", stop_at=stop_at)
        resumed = fit(f"stopped {stop_at}", resume=True)
        assert resumed.step == 30
        fields = [load_checkpoint(result.folder.path).field for result in (whole, resumed)]
        assert all(torch.equal(fields[1][name], tensor) for name, tensor in fields[0].items())
