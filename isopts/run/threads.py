"""How many CPU threads are worth using now."""

import os
import time
from pathlib import Path


def idle_processors(seconds: float = 0.1) -> int:
    """Processors that this process may use and that are idle now, at least 1.

    Threads beyond the idle processors do harm: an OpenMP team waits for its slowest member and spins meanwhile
    (ten times slower was measured). The kernel's counters are read twice, `seconds` apart; where they are
    missing (not Linux), every processor counts as idle.
    """
    allowed = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    before = _busy_and_total(allowed)
    if before is None:
        return len(allowed)
    time.sleep(seconds)
    after = _busy_and_total(allowed) or before
    elapsed = after[1] - before[1]
    busy = len(allowed) * (after[0] - before[0]) / elapsed if elapsed > 0 else 0.0
    return max(1, min(len(allowed) - round(busy), _quota(len(allowed))))


def _busy_and_total(processors: list[int]) -> tuple[int, int] | None:
    """Clock ticks since boot, summed over `processors`: spent working, and in all."""
    statistics = Path("/proc/stat")
    if not statistics.is_file():
        return None
    busy = total = 0
    for line in statistics.read_text().splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name[3:].isdecimal() and int(name[3:]) in processors:
            ticks = [int(field) for field in fields[:8]]  # user nice system idle iowait irq softirq steal
            busy += sum(ticks) - ticks[3] - ticks[4]
            total += sum(ticks)
    return busy, total


def _quota(processors: int) -> int:
    """Processors that the container's CPU quota amounts to."""
    limit = Path("/sys/fs/cgroup/cpu.max")
    quota, _, period = limit.read_text().partition(" ") if limit.is_file() else ("max", "", "")
    return processors if quota == "max" else max(1, int(quota) // int(period))
