import io

import pytest
from rich.console import Console

from isopts.cli.progress import FitProgress, describe_losses
from isopts.run.log import StepReport


def report(step, message=None):
    return StepReport(step, 100, 1.0, {"total": 0.123456, "eikonal [x]": 1e-5}, isopoints=1234, message=message)


def shown(steps_and_times, terminal=False, quiet=False, message=None):
    """What a fit with one report per (step, seconds) writes."""
    times = iter([seconds for _, seconds in steps_and_times])
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=200, quiet=quiet)
    with FitProgress(quiet, console, clock=lambda: next(times)) as progress:
        progress.on_note("60,000 points [noise 0.01]")
        for step, _ in steps_and_times:
            progress.on_step(report(step, message))
    return stream.getvalue()


def test_without_a_terminal_a_plain_line_every_ten_seconds_and_at_the_end():
    lines = shown([(10, 0.0), (20, 5.0), (30, 10.5), (40, 20.0), (100, 20.4)]).splitlines()
    losses = "total 0.123, eikonal [x] 1e-05, 1,234 iso-points"
    assert lines == [
        "60,000 points [noise 0.01]",
        f"step 10/100, {losses}",
        f"step 30/100, 37 s left, {losses}",  # 70 steps at 10.5 s per 20
        f"step 100/100, {losses}",
    ]


def test_a_terminal_shows_a_bar_with_losses():
    text = shown([(10, 0.0), (100, 1.0)], terminal=True)
    assert "100/100" in text
    assert "1,234 iso-points" in text
    assert "60,000 points [noise 0.01]" in text


@pytest.mark.parametrize("terminal", [True, False])
def test_quiet_is_silent(terminal):
    assert shown([(10, 0.0)], terminal=terminal, quiet=True, message="hello") == ""


def test_messages_of_a_step_stay():
    assert "iso-points renewed" in shown([(10, 0.0)], message="iso-points renewed").splitlines()


def test_losses_on_one_line():
    assert describe_losses(report(1)) == "total 0.123, eikonal [x] 1e-05, 1,234 iso-points"
