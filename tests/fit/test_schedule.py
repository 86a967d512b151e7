"""Schedules are pure functions with the values that the recipes name."""

import pytest

from isopts.fit.schedule import exponential_decay, halvings, is_due, warm_up


def test_warm_up_rises_to_one():
    assert [warm_up(step, 4) for step in (1, 2, 4, 9)] == [0.25, 0.5, 1.0, 1.0]
    assert warm_up(1, 0) == 1.0


def test_exponential_decay_starts_late_and_ends_at_the_final_factor():
    assert exponential_decay(40, 100, start=0.4, final=0.05) == 1.0
    assert exponential_decay(70, 100, start=0.4, final=0.05) == pytest.approx(0.05**0.5)
    assert exponential_decay(100, 100, start=0.4, final=0.05) == pytest.approx(0.05)


def test_halvings_take_effect_after_their_milestone():
    assert [halvings(step, (10, 20)) for step in (10, 11, 20, 21)] == [1.0, 0.5, 0.5, 0.25]


def test_due_at_the_first_step_and_then_regularly():
    assert [step for step in range(1, 20) if is_due(step, first=5, every=6)] == [5, 11, 17]
    assert not any(is_due(step, first=1, every=0) for step in range(5))
