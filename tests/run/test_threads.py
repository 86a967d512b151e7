import pytest

from isopts.run import threads


@pytest.fixture
def four_processors(monkeypatch):
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(threads, "_quota", lambda processors: processors)


@pytest.mark.parametrize(("busy", "idle"), [(0, 4), (40, 4), (100, 3), (160, 2), (300, 1), (400, 1)])
def test_busy_processors_are_left_out(monkeypatch, four_processors, busy, idle):
    readings = iter([(1000, 8000), (1000 + busy, 8400)])  # 4 processors x 100 ticks, `busy` of them spent working
    monkeypatch.setattr(threads, "_busy_and_total", lambda _: next(readings))
    assert threads.idle_processors(seconds=0) == idle


def test_without_counters_every_processor_is_idle(monkeypatch, four_processors):
    monkeypatch.setattr(threads, "_busy_and_total", lambda _: None)
    assert threads.idle_processors(seconds=0) == 4


def test_this_machine():
    assert threads.idle_processors(seconds=0.02) >= 1
