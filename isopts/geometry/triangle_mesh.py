"""A triangle mesh as a value."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TriangleMesh:
    """vertices (V, 3) float64; faces (F, 3) int64, counter-clockwise from outside; optional per-vertex
    normals (V, 3) float32 (unit, outward) and colors (V, 3) uint8. The frame is the caller's to name."""

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray | None = None
    colors: np.ndarray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", np.ascontiguousarray(self.vertices, dtype=np.float64).reshape(-1, 3))
        object.__setattr__(self, "faces", np.ascontiguousarray(self.faces, dtype=np.int64).reshape(-1, 3))

    def face_normals(self) -> np.ndarray:
        """(F, 3) unit normals; zero for degenerate faces."""
        cross = self._cross_products()
        length = np.linalg.norm(cross, axis=1, keepdims=True)
        return np.divide(cross, length, out=np.zeros_like(cross), where=length > 0)

    def face_areas(self) -> np.ndarray:
        """(F,) areas in squared units of the vertices."""
        return np.linalg.norm(self._cross_products(), axis=1) / 2

    def volume(self) -> float:
        """Signed enclosed volume: positive when a closed mesh is the right way out."""
        a, b, c = (self.vertices[self.faces[:, corner]] for corner in range(3))
        origin = self.vertices.mean(axis=0) if len(self.vertices) else 0.0
        return float(np.einsum("ij,ij->i", a - origin, np.cross(b - origin, c - origin)).sum() / 6)

    def is_closed(self) -> bool:
        """Whether there are faces and every edge has one face on each side, wound alike."""
        edges = np.concatenate([self.faces[:, [0, 1]], self.faces[:, [1, 2]], self.faces[:, [2, 0]]])
        forward = np.sort(edges[:, 0] * len(self.vertices) + edges[:, 1])
        backward = np.sort(edges[:, 1] * len(self.vertices) + edges[:, 0])
        once = bool((forward[1:] != forward[:-1]).all())
        return len(edges) > 0 and once and bool((forward == backward).all())

    def _cross_products(self) -> np.ndarray:
        a, b, c = (self.vertices[self.faces[:, corner]] for corner in range(3))
        return np.cross(b - a, c - a)
