"""Schedules are pure functions with the values that the recipes name."""

from itertools import pairwise

import pytest

from isopts.fit.schedule import (
    doublings,
    exponential_change,
    exponential_decay,
    halvings,
    is_due,
    linear_change,
    stage,
    warm_up,
)


def test_warm_up_rises_to_one():
    assert [warm_up(step, 4) for step in (1, 2, 4, 9)] == [0.25, 0.5, 1.0, 1.0]
    assert warm_up(1, 0) == 1.0


def test_exponential_decay_starts_late_and_ends_at_the_final_factor():
    assert exponential_decay(0.4, start=0.4, final=0.05) == 1.0
    assert exponential_decay(0.7, start=0.4, final=0.05) == pytest.approx(0.05**0.5)
    assert exponential_decay(1.0, start=0.4, final=0.05) == pytest.approx(0.05)


def test_exponential_change_goes_by_equal_factors():
    found = [exponential_change(progress, 0.05, 0.003) for progress in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert (found[0], found[-1]) == pytest.approx((0.05, 0.003))
    factors = [after / before for before, after in pairwise(found)]
    assert factors == pytest.approx([0.06**0.25] * 4)


def test_linear_change_goes_by_equal_differences():
    assert [linear_change(progress, 100, 300) for progress in (0.0, 0.25, 1.0)] == [100, 150, 300]
    assert linear_change(0.5, 3, 1) == 2


def test_doublings_are_those_of_idr():
    found = [doublings(share / 12, 5.0, 100.0) for share in range(13)]
    assert found == [5, 5, 10, 10, 20, 20, 40, 40, 80, 80, 100, 100, 100]
    assert [doublings(progress, 50.0, 50.0) for progress in (0.0, 1.0)] == [50, 50]
    assert doublings(1.0, 1.0, 8.0) == 8


def test_stages_begin_at_their_share():
    ends = (0.15, 0.3, 0.5)
    assert [stage(progress, ends) for progress in (0.0, 0.149, 0.15, 0.4, 0.5, 1.0)] == [0, 0, 1, 2, 3, 3]
    assert stage(0.7, ()) == 0


def test_halvings_take_effect_after_their_milestone():
    assert [halvings(step, (10, 20)) for step in (10, 11, 20, 21)] == [1.0, 0.5, 0.5, 0.25]


def test_due_at_the_first_step_and_then_regularly():
    assert [step for step in range(1, 20) if is_due(step, first=5, every=6)] == [5, 11, 17]
    assert not any(is_due(step, first=1, every=0) for step in range(5))
