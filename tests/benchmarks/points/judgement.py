"""Ours against Poisson, level by level, and the targets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Literal

from points.results import Row

CAREFUL = ("poisson careful-7", "poisson careful-8")
DEPTH_8 = "poisson raw-8"
"""The peers on noisy clouds, of which the one with the smaller chamfer distance counts, and on clean ones."""
CLEAN_TARGETS = 1.05, 1.05
NOISY_TARGETS = 0.8, 0.6
"""Largest ratios ours / peer of chamfer distance and of 1 - normal consistency: within 5 %, or 20 % and 40 % below."""
NOISY = 0.005  # noise, as a share of the longest side, from which on the second pair is asked

Verdict = Literal["PASS", "FAIL", "-"]


@dataclass(frozen=True)
class Duel:
    """One cloud: ours, its peer, and the best of all of Poisson's rows; ratios, infinite where ours failed."""

    ours: Row
    peer: Row
    best: Row

    @property
    def chamfer(self) -> float:
        return _ratio(self.ours.chamfer, self.peer.chamfer)

    @property
    def roughness(self) -> float:
        return _ratio(self.ours.roughness, self.peer.roughness)

    @property
    def chamfer_to_best(self) -> float:
        return _ratio(self.ours.chamfer, self.best.chamfer)


@dataclass(frozen=True)
class Judgement:
    """One level: mean ratios over its clouds, and whether they reach the targets (None: no target)."""

    level: str
    duels: list[Duel]
    targets: tuple[float, float] | None

    @property
    def chamfer(self) -> float:
        return mean(duel.chamfer for duel in self.duels)

    @property
    def roughness(self) -> float:
        return mean(duel.roughness for duel in self.duels)

    @property
    def chamfer_to_best(self) -> float:
        return mean(duel.chamfer_to_best for duel in self.duels)

    @property
    def verdict(self) -> Verdict:
        if self.targets is None:
            return "-"
        return "PASS" if self.chamfer <= self.targets[0] and self.roughness <= self.targets[1] else "FAIL"


def judge(rows: Iterable[Row], noise_of_level: dict[str, float], method: str = "isopts") -> list[Judgement]:
    """A judgement for each level with clouds that both `method` and Poisson have been run on, in the order of
    `noise_of_level` (share of the longest side)."""
    by_cloud: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        by_cloud.setdefault((row.level, row.shape), {})[row.method] = row
    judgements = []
    for level, noise in noise_of_level.items():
        duels = []
        for (found, _), methods in by_cloud.items():
            peer, best = _closest(methods, CAREFUL if noise > 0 else (DEPTH_8,)), _closest(methods, (*CAREFUL, DEPTH_8))
            if found == level and method in methods and peer is not None and best is not None:
                duels.append(Duel(methods[method], peer, best))
        if duels:
            judgements.append(Judgement(level, duels, _targets(noise)))
    return judgements


def _closest(methods: dict[str, Row], names: Sequence[str]) -> Row | None:
    """The row with the smallest chamfer distance."""
    found = [methods[name] for name in names if name in methods and methods[name].chamfer is not None]
    return min(found, key=lambda row: row.chamfer) if found else None


def _targets(noise: float) -> tuple[float, float] | None:
    if noise == 0:
        return CLEAN_TARGETS
    return NOISY_TARGETS if noise >= NOISY else None


def _ratio(ours: float | None, peer: float) -> float:
    return float("inf") if ours is None else ours / peer
