"""Budgets of steps and of seconds."""

import pytest

from isopts.fit.budget import Budget, fitting_seconds, overrun_note


def test_steps_are_counted():
    budget = Budget(200)
    assert [budget.progress(step) for step in (1, 100, 200, 300)] == [0.005, 0.5, 1.0, 1.0]
    assert budget.total_steps() == 200


def test_seconds_end_the_fit_whatever_the_steps():
    now = [10.0]
    budget = Budget(200, 20.0, clock=lambda: now[0])
    assert budget.total_steps() >= 1
    now[0] = 15.0
    budget.observe(50)
    assert budget.progress(50) == 0.25
    assert budget.total_steps() == 200  # at ten steps a second
    now[0] = 30.0
    budget.observe(170)
    assert budget.progress(170) == 1.0
    assert budget.total_steps() == 170


def test_a_continued_fit_has_the_rest():
    now = [0.0]
    budget = Budget(1, 20.0, finished=(70, 15.0), clock=lambda: now[0])
    assert budget.progress(71) == 0.75
    now[0] = 5.0
    budget.observe(99)
    assert budget.total_steps() == 99


def test_start_colours_and_mesh_are_within_a_budget():
    fitting = fitting_seconds(90.0, spent=12.0, color_share=0.2)
    assert 12 + 1.2 * fitting == pytest.approx(90 - 5.5)
    assert fitting_seconds(90.0, 12.0, 0.0) == pytest.approx(72.5)


def test_a_budget_that_the_start_has_used_up_is_said_to_be():
    assert overrun_note(20.0, 25.0, fitting_seconds(20.0, 25.0, 0.2)).endswith("the mesh is there after 36 s or more.")
    assert overrun_note(20.0, 4.0, fitting_seconds(20.0, 4.0, 0.2)) == ""
    assert overrun_note(90.0, 12.0, fitting_seconds(90.0, 12.0, 0.0)) == ""


def test_a_slow_start_leaves_time_to_fit():
    assert fitting_seconds(10.0, spent=30.0, color_share=0.2) == pytest.approx(3)
