"""Rows of the benchmark, kept in a file that grows as they come."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One method on one cloud. chamfer: mean distance of both directions, unit of the files. roughness: 1 - normal
    consistency. flipped: share of the surface that is the wrong way out. All None where the method failed.
    cloud_digest: of the cloud's file. stages: seconds of isopts, from run.json."""

    shape: str
    level: str
    method: str
    cloud_digest: str
    seconds: float
    chamfer: float | None = None
    roughness: float | None = None
    flipped: float | None = None
    parts: int | None = None
    closed: bool | None = None
    stages: dict[str, float] = field(default_factory=dict)
    failure: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.shape, self.level, self.method, self.cloud_digest


class Results:
    """Rows in `path`, one JSON object a line. A row written later replaces the same method's on the same cloud."""

    def __init__(self, path: Path, keep_methods: Iterable[str] | None):
        """keep_methods: starts of the names of methods whose stored rows are used again; None: of all."""
        stored = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        rows = [Row(**json.loads(line)) for line in stored]
        kept = [row for row in rows if keep_methods is None or row.method.startswith(tuple(keep_methods))]
        self._rows = {row.key: row for row in kept if not row.failure}
        self._path = path
        path.write_text("".join(_line(row) for row in self._rows.values()), encoding="utf-8")

    def __contains__(self, key: tuple[str, str, str, str]) -> bool:
        return key in self._rows

    def __getitem__(self, key: tuple[str, str, str, str]) -> Row:
        return self._rows[key]

    def add(self, row: Row) -> None:
        self._rows[row.key] = row
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_line(row))


def _line(row: Row) -> str:
    return json.dumps(asdict(row)) + "\n"
