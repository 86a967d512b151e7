"""The unit frame, in which fields live, and the way back to the input's own coordinates."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class WorldToUnit:
    """Similarity `unit = (world - center) * scale`, kept in float64 so that geo-referenced offsets survive.

    center: (3,) in world units. scale: unit-frame lengths per world unit; positive.
    """

    center: tuple[float, float, float]
    scale: float

    @staticmethod
    def from_bounds(points: np.ndarray, longest_side: float = 1.5) -> "WorldToUnit":
        """Frame in which the bounding box of `points` (N, 3) is centred and its longest side is `longest_side`."""
        low, high = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
        center = (low + high) / 2
        side = float((high - low).max())
        return WorldToUnit(tuple(center.tolist()), longest_side / side if side > 0 else 1.0)

    def to_unit(self, points: np.ndarray, device: torch.device | str = "cpu") -> torch.Tensor:
        """World (N, 3) float64 -> unit frame (N, 3) float32; the offset is removed before rounding."""
        local = (np.asarray(points, dtype=np.float64) - np.asarray(self.center)) * self.scale
        return torch.from_numpy(local.astype(np.float32)).to(device)

    def to_world(self, points: torch.Tensor) -> np.ndarray:
        """Unit frame (N, 3) -> world (N, 3) float64."""
        return self.array_to_world(points.detach().cpu().numpy())

    def array_to_world(self, points: np.ndarray) -> np.ndarray:
        """`to_world` for an array."""
        return points.astype(np.float64) / self.scale + np.asarray(self.center)

    def as_dict(self) -> dict[str, Any]:
        """Plain types, for checkpoints and run.json."""
        return {"center": list(self.center), "scale": self.scale}

    @staticmethod
    def from_dict(values: dict[str, Any]) -> "WorldToUnit":
        x, y, z = (float(value) for value in values["center"])
        return WorldToUnit((x, y, z), float(values["scale"]))
