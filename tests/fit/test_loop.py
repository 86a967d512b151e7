"""The loop: what it minimises, when it stops, what it reports."""

import pytest
import torch

from isopts.errors import DivergedError
from isopts.fit.loop import LoopCallbacks, LoopLimits, run_loop


class Parabola:
    """(x - 3)^2, with a refresh at every tenth step; not finite from `diverges_at` on."""

    isopoint_count = 7

    def __init__(self, diverges_at=None):
        self.x = torch.zeros((), requires_grad=True)
        self.diverges_at = diverges_at

    def refresh(self, step):
        return f"renewed before step {step}" if step % 10 == 0 else None

    def losses(self, step):
        bad = torch.tensor(float("nan") if step == self.diverges_at else 0.0)
        return {"distance": (self.x - 3) ** 2, "bad": bad}


class Recorder:
    def __init__(self, stop_at=None):
        self.reports, self.saved, self.refreshed, self.polls, self.stop_at = [], [], [], 0, stop_at

    def callbacks(self):
        return LoopCallbacks(
            self.reports.append, lambda *state: self.saved.append(state), self.stop, self.finished_step
        )

    def finished_step(self, step, terms, renewed):
        if renewed:
            self.refreshed.append(step)

    def stop(self):
        self.polls += 1
        return self.polls == self.stop_at


def run(objective, recorder, finished=(0, 0.0), factor=lambda step: 1.0, **limits):
    optimizer = torch.optim.SGD([objective.x], lr=0.1)
    settings = LoopLimits(**{"total_steps": lambda: 40, "log_every": 15, "checkpoint_every": 20, **limits})
    return run_loop(objective, optimizer, factor, settings, recorder.callbacks(), finished)


def test_runs_to_the_end_and_reports():
    objective, recorder = Parabola(), Recorder()
    step, seconds, reason = run(objective, recorder)
    assert (step, reason) == (40, "finished")
    assert objective.x.item() == pytest.approx(3, abs=1e-2)
    assert [report.step for report in recorder.reports] == [10, 15, 20, 30, 40]
    assert recorder.reports[0].message == "renewed before step 10"
    assert recorder.reports[0].isopoints == 7
    assert recorder.reports[0].losses["total"] == recorder.reports[0].losses["distance"]
    assert recorder.refreshed == [10, 20, 30, 40]
    assert [(step, last) for step, _, last in recorder.saved] == [(20, False), (40, True)]
    assert seconds == recorder.saved[-1][1]


def test_a_stop_request_ends_it_after_a_checkpoint():
    recorder = Recorder(stop_at=6)
    step, _, reason = run(Parabola(), recorder)
    assert (step, reason) == (5, "interrupted")
    assert [(step, last) for step, _, last in recorder.saved] == [(5, True)]


def test_a_time_limit_ends_it():
    step, _, reason = run(Parabola(), Recorder(), exit_after=0.0)
    assert (step, reason) == (0, "time limit")


def test_a_continued_run_counts_on():
    recorder = Recorder()
    step, seconds, _ = run(Parabola(), recorder, finished=(35, 100.0))
    assert step == 40
    assert recorder.polls == 5
    assert seconds >= 100.0


def test_a_factor_scales_the_learning_rate():
    objective = Parabola()
    run(objective, Recorder(), factor=lambda step: 0.0)
    assert objective.x.item() == 0.0


def test_clipping_bounds_a_step():
    objective = Parabola()
    run(objective, Recorder(), total_steps=lambda: 1, gradient_norm_max=1.0)
    assert objective.x.item() == pytest.approx(0.1)  # learning rate times norm; unclipped it would be 0.6


def test_divergence_names_the_step_and_the_terms_and_saves_nothing():
    recorder = Recorder()
    with pytest.raises(DivergedError, match=r"step 7: distance .*, bad nan"):
        run(Parabola(diverges_at=7), recorder)
    assert recorder.saved == []
