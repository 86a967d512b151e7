"""Where each level of the multi-resolution grid lives in the feature table."""

from dataclasses import dataclass
from functools import cache

import torch

from isopts.errors import InputError

FEATURES = 2  # features a level; a table entry is one Warp vec2


@dataclass(frozen=True)
class GridLayout:
    """One entry a level, coarsest first.

    resolutions: cells along each side of the domain. offsets: first table entry. sizes: number of table entries.
    hashed: False where every one of the (resolution+1)^3 vertices has its own entry, True where they share 2^k.
    """

    resolutions: tuple[int, ...]
    offsets: tuple[int, ...]
    sizes: tuple[int, ...]
    hashed: tuple[bool, ...]

    @staticmethod
    def build(levels: int, base_resolution: int, finest_resolution: int, log2_table_size: int) -> "GridLayout":
        """Resolutions in geometric progression; a level is hashed when it has more than 2^log2_table_size vertices."""
        if levels < 1 or base_resolution < 1 or finest_resolution < base_resolution or not 1 <= log2_table_size <= 24:
            raise InputError(
                f"grid layout: got {levels} levels of resolution {base_resolution} to {finest_resolution} with tables "
                f"of 2^{log2_table_size} entries; expected at least one level, 1 <= base <= finest, and 1 <= log2 <= 24"
            )
        growth = (finest_resolution / base_resolution) ** (1 / max(levels - 1, 1))
        resolutions = tuple(int(base_resolution * growth**level + 1e-6) for level in range(levels))
        vertices = [(resolution + 1) ** 3 for resolution in resolutions]
        sizes = tuple(min(count, 2**log2_table_size) for count in vertices)
        offsets = tuple(sum(sizes[:level]) for level in range(levels))
        hashed = tuple(size < count for size, count in zip(sizes, vertices, strict=True))
        return GridLayout(resolutions, offsets, sizes, hashed)

    @property
    def levels(self) -> int:
        return len(self.resolutions)

    @property
    def entries(self) -> int:
        """Length of the table."""
        return sum(self.sizes)

    @property
    def channels(self) -> int:
        """Features of a point: FEATURES a level."""
        return FEATURES * self.levels


@cache
def level_table(layout: GridLayout, device: torch.device) -> torch.Tensor:
    """(L, 3) int32 for the kernels: resolution, offset, hash mask (size - 1, or -1 where the level is dense)."""
    masks = [size - 1 if hashed else -1 for size, hashed in zip(layout.sizes, layout.hashed, strict=True)]
    rows = list(zip(layout.resolutions, layout.offsets, masks, strict=True))
    return torch.tensor(rows, dtype=torch.int32, device=device)
