"""Posed images for the commands that read them."""

import math
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

SIZE, FOCAL, DISTANCE, RADIUS, VIEWS = 120, 180.0, 5.0, 1.0, 12
CENTER = np.array([100.0, 50.0, -20.0])
SCALE = 10.0  # world units of the ball's radius


def _rotation(view: int) -> np.ndarray:
    """World to camera; spread evenly over a sphere."""
    z = 1 - (2 * view + 1) / VIEWS
    angle = view * math.pi * (3 - math.sqrt(5))
    forward = -np.array([math.sqrt(1 - z * z) * math.cos(angle), math.sqrt(1 - z * z) * math.sin(angle), z])
    right = np.cross(forward, [0.3, 0.4, 0.87])
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


@pytest.fixture
def ball_views(tmp_path: Path) -> Path:
    """Folder `ball` in IDR's convention: 12 views of a ball of radius 10 around (100, 50, -20), the region twice as
    large."""
    folder = tmp_path / "ball"
    row, column = np.mgrid[:SIZE, :SIZE]
    offset = np.hypot(row - (SIZE - 1) / 2, column - (SIZE - 1) / 2) / FOCAL
    mask = offset < math.tan(math.asin(RADIUS / DISTANCE))
    intrinsics = np.array([[FOCAL, 0, (SIZE - 1) / 2], [0, FOCAL, (SIZE - 1) / 2], [0, 0, 1]])
    picture = np.where(mask[..., None], [90, 120, 160], 0).astype(np.uint8)
    matrices = {}
    for part in ("image", "mask"):
        (folder / part).mkdir(parents=True)
    for view in range(VIEWS):
        imageio.imwrite(folder / "image" / f"{view:03d}.png", picture)
        imageio.imwrite(folder / "mask" / f"{view:03d}.png", 255 * mask.astype(np.uint8))
        rotation = _rotation(view)
        translation = np.array([0, 0, SCALE * DISTANCE]) - rotation @ CENTER
        world, scale = np.eye(4), np.diag([2 * SCALE] * 3 + [1.0])
        world[:3] = intrinsics @ np.hstack([rotation, translation[:, None]])
        scale[:3, 3] = CENTER
        matrices |= {f"world_mat_{view}": world, f"scale_mat_{view}": scale}
    np.savez(folder / "cameras.npz", **matrices)
    return folder
