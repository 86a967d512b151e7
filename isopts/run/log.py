"""log.jsonl: one JSON object per logged step."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isopts.run.atomic import replacing


@dataclass(frozen=True)
class StepReport:
    """What a fit tells its callback after a step.

    step: number of finished steps. total_steps: where the fit ends. seconds: fitting time so far, over all resumes.
    losses: every weighted term, and `total`. isopoints: their current count. message: one sentence for the user.
    """

    step: int
    total_steps: int
    seconds: float
    losses: Mapping[str, float]
    isopoints: int = 0
    message: str | None = None
    learning_rate: float | None = None


def append_to_log(path: Path, report: StepReport) -> None:
    """Add one line. Values that are not finite become null, which JSON has."""
    entry = {
        "step": report.step,
        "seconds": round(report.seconds, 3),
        "losses": {name: value if math.isfinite(value) else None for name, value in report.losses.items()},
        "learning_rate": report.learning_rate,
        "isopoints": report.isopoints,
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def read_log(path: Path) -> list[dict[str, Any]]:
    """All complete lines; a missing file is an empty log. A line that a killed process left half written is skipped."""
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            entries.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return entries


def drop_log_after(path: Path, step: int) -> None:
    """Keep the lines up to `step`, where a resumed run continues; the later ones are going to be written again."""
    kept = [entry for entry in read_log(path) if entry["step"] <= step]
    with replacing(path) as temporary:
        temporary.write_text("".join(json.dumps(entry) + "\n" for entry in kept), encoding="utf-8")
