"""Where each level of the multi-resolution grid lives in the feature table."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch

from isopts.errors import InputError

Interpolation = Literal["linear", "quadratic"]

FEATURES = 2  # features a level; a table entry is one Warp vec2
_DEGREES = {"linear": 1, "quadratic": 2}


@dataclass(frozen=True)
class GridLayout:
    """One entry a level, coarsest first.

    resolutions: cells along each side of the domain. offsets: first table entry. sizes: number of table entries.
    hashed: False where every control value has its own entry, True where they share. degree: of the B-spline.

    A level has (resolution + degree)^3 control values, cell i between i and i + degree along each axis. Linear: they
    are the cells' vertices; a hashed level shares 2^k of them. Quadratic: they lie half a cell off the vertices, the
    outermost ones outside the domain; in a hashed level the rows along x stay whole and share 2^k entries, so that
    neighbours in a row always lie side by side in the table.
    """

    resolutions: tuple[int, ...]
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    hashed: tuple[bool, ...]
    degree: int = 1

    @staticmethod
    def build(
        levels: int,
        base_resolution: int,
        finest_resolution: int,
        log2_table_size: int,
        interpolation: Interpolation = "linear",
    ) -> "GridLayout":
        """Resolutions in geometric progression; a level is hashed when it has more than 2^log2_table_size values."""
        if levels < 1 or base_resolution < 1 or finest_resolution < base_resolution or not 1 <= log2_table_size <= 24:
            raise InputError(
                f"grid layout: got {levels} levels of resolution {base_resolution} to {finest_resolution} with tables "
                f"of 2^{log2_table_size} entries; expected at least one level, 1 <= base <= finest, and 1 <= log2 <= 24"
            )
        degree = _DEGREES[interpolation]
        growth = (finest_resolution / base_resolution) ** (1 / max(levels - 1, 1))
        resolutions = tuple(int(base_resolution * growth**level + 1e-6) for level in range(levels))
        sides = [resolution + degree for resolution in resolutions]
        hashed = tuple(side**3 > 2**log2_table_size for side in sides)
        sizes = tuple(
            max(2**log2_table_size, side) if share else side**3 for side, share in zip(sides, hashed, strict=True)
        )
        offsets = tuple(sum(sizes[:level]) for level in range(levels))
        return GridLayout(resolutions, offsets, sizes, hashed, degree)

    @property
    def levels(self) -> int:
        return len(self.resolutions)

    @property
    def entries(self) -> int:
        """Length of the table. The quadratic kernels read one value past a row, so there is one past the last."""
        return sum(self.sizes) + self.degree - 1

    @property
    def channels(self) -> int:
        """Features of a point: FEATURES a level."""
        return FEATURES * self.levels

    def slots(self, level: int) -> int:
        """Entries to which a control value (linear) or the first one of a row (quadratic) may be hashed; 0: dense."""
        if not self.hashed[level]:
            return 0
        return self.sizes[level] if self.degree == 1 else self.sizes[level] - self.resolutions[level] - 1


@cache
def level_table(layout: GridLayout, device: torch.device) -> torch.Tensor:
    """(L, 4) int32 for the kernels: resolution, offset, slots, degree."""
    rows = [
        (layout.resolutions[level], layout.offsets[level], layout.slots(level), layout.degree)
        for level in range(layout.levels)
    ]
    return torch.tensor(rows, dtype=torch.int32, device=device)
