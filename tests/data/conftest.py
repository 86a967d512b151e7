"""A scene whose pictures are known without any code of the package: a ball with five marks on it."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest

Lens = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Scene:
    """Ball around `center`; cameras on a circle around it that look a little past it. Lengths in world units.

    focal: pixels. principal: column and row of the optical axis, the centre of the upper left pixel at (0, 0).
    """

    views: int = 6
    width: int = 96
    height: int = 72
    focal: float = 110.0
    principal: tuple[float, float] = (47.5, 35.5)
    center: tuple[float, float, float] = (2.0, -1.0, 3.0)
    radius: float = 0.6
    distance: float = 2.5

    def axes(self, view: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """right, down, forward (unit) and the eye; z is up in the world."""
        angle = 2 * math.pi * view / self.views
        offset = np.array([math.cos(angle), math.sin(angle), 0.3 * (-1) ** view])
        eye = np.array(self.center) + self.distance * offset / np.linalg.norm(offset)
        forward = np.array(self.center) + np.array([0.05, -0.03, 0.04]) - eye
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0.1 * view, 0, 1.0])
        right /= np.linalg.norm(right)
        return right, np.cross(forward, right), forward, eye

    def marks(self) -> np.ndarray:
        """(5, 3) points on the ball, all around."""
        directions = np.array([[0, 0, 1.0], [0, 0, -1], [1, 0.2, 0.1], [-0.5, 0.8, 0], [-0.5, -0.8, 0.2]])
        return np.array(self.center) + self.radius * directions / np.linalg.norm(directions, axis=1, keepdims=True)

    def pixels(self, view: int, points: np.ndarray) -> np.ndarray:
        """(N, 2) columns and rows of points (N, 3), by the definition of a pinhole."""
        right, down, forward, eye = self.axes(view)
        depth = (points - eye) @ forward
        plane = np.stack([(points - eye) @ right, (points - eye) @ down], axis=1) / depth[:, None]
        return self.focal * plane + self.principal

    def on_plane(self, lens: Lens | None) -> tuple[np.ndarray, np.ndarray]:
        """(H, W) each: x and y on the plane z = 1 of what every pixel shows; the inverse of `lens` by iteration."""
        row, column = np.mgrid[: self.height, : self.width].astype(float)
        seen_x, seen_y = (column - self.principal[0]) / self.focal, (row - self.principal[1]) / self.focal
        x, y = seen_x, seen_y
        for _ in range(50 if lens else 0):
            at_x, at_y = lens(x, y)
            x, y = x + seen_x - at_x, y + seen_y - at_y
        return x, y

    def silhouette(self, view: int, lens: Lens | None = None) -> np.ndarray:
        """(H, W) bool: the pixel's ray meets the ball."""
        right, down, forward, eye = self.axes(view)
        x, y = self.on_plane(lens)
        directions = x[..., None] * right + y[..., None] * down + forward
        directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
        to_center = np.array(self.center) - eye
        along = directions @ to_center
        return np.linalg.norm(along[..., None] * directions - to_center, axis=-1) < self.radius

    def picture(self, view: int, lens: Lens | None = None) -> np.ndarray:
        """(H, W, 3) uint8: a grey ball on black with a bright spot at each mark, also at those behind."""
        right, down, forward, eye = self.axes(view)
        x, y = self.on_plane(lens)
        picture = np.where(self.silhouette(view, lens), 60.0, 0.0)
        for mark in self.marks():
            depth = (mark - eye) @ forward
            off_x, off_y = x - (mark - eye) @ right / depth, y - (mark - eye) @ down / depth
            picture = np.maximum(picture, 255 * np.exp(-0.5 * (off_x**2 + off_y**2) * (self.focal / 1.5) ** 2))
        return np.repeat(np.round(picture)[..., None], 3, axis=2).astype(np.uint8)

    def write_images(self, folder: Path, names: Sequence[str], lens: Lens | None = None, alpha: bool = False) -> None:
        for view, name in enumerate(names):
            picture = self.picture(view, lens)
            if alpha:
                picture = np.dstack([picture, 255 * self.silhouette(view, lens).astype(np.uint8)])
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            imageio.imwrite(folder / name, picture)

    def write_masks(self, folder: Path, names: Sequence[str], lens: Lens | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for view, name in enumerate(names):
            imageio.imwrite(folder / name, 255 * self.silhouette(view, lens).astype(np.uint8))

    def write_idr(self, folder: Path) -> None:
        """A folder of IDR: cameras.npz, image/000.png, mask/000.png; the region is a ball of twice the radius."""
        names = [f"{view:03d}.png" for view in range(self.views)]
        self.write_images(folder / "image", names)
        self.write_masks(folder / "mask", names)
        intrinsics = np.array([[self.focal, 0, self.principal[0]], [0, self.focal, self.principal[1]], [0, 0, 1]])
        matrices = {}
        for view in range(self.views):
            right, down, forward, eye = self.axes(view)
            rotation = np.stack([right, down, forward])
            world = np.eye(4)
            world[:3] = (
                -0.7 * intrinsics @ np.hstack([rotation, (-rotation @ eye)[:, None]])
            )  # the factor means nothing
            scale = np.diag([2 * self.radius] * 3 + [1.0])
            scale[:3, 3] = self.center
            matrices |= {f"world_mat_{view}": world, f"scale_mat_{view}": scale}
        np.savez(folder / "cameras.npz", **matrices)

    def assert_agrees_with(self, views, tolerance: float = 0.05, mask_error: float = 0.002) -> None:
        """Assert that marks appear in the pictures where the cameras see them, and that masks show the ball."""
        import torch

        marks = torch.from_numpy(self.marks())
        pixels, depths = views.cameras.project(marks)
        assert len(views) == self.views
        for view in range(self.views):
            _, _, forward, eye = self.axes(view)
            np.testing.assert_allclose(views.cameras.centers()[view], eye, atol=1e-6)
            np.testing.assert_allclose(depths[view], (self.marks() - eye) @ forward, atol=1e-6)
            picture = views.image(view)[..., 0].astype(float)
            for column, row in pixels[view].numpy():
                _assert_bright_spot(picture, column, row, tolerance)
            expected = self._silhouette_through(views.cameras, view)
            assert np.mean(views.mask(view) != expected) <= mask_error

    def _silhouette_through(self, cameras, view: int) -> np.ndarray:
        import torch

        width, height = cameras.sizes[view].tolist()
        row, column = np.mgrid[:height, :width]
        pixels = torch.from_numpy(np.stack([column.ravel(), row.ravel()], axis=1)).double()
        origins, directions = cameras.rays(torch.full((len(pixels),), view), pixels)
        to_center = torch.tensor(self.center, dtype=torch.float64) - origins
        along = (directions * to_center).sum(dim=1, keepdim=True)
        return ((along * directions - to_center).norm(dim=1) < self.radius).reshape(height, width).numpy()


def _assert_bright_spot(picture: np.ndarray, column: float, row: float, tolerance: float) -> None:
    """The brightest spot around a place has its centre of mass there."""
    top, left = round(row) - 4, round(column) - 4
    assert top >= 0
    assert left >= 0
    window = np.clip(picture[top : top + 9, left : left + 9] - 80, 0, None)
    rows, columns = np.mgrid[top : top + window.shape[0], left : left + window.shape[1]]
    assert window.max() > 120
    np.testing.assert_allclose((columns * window).sum() / window.sum(), column, atol=tolerance)
    np.testing.assert_allclose((rows * window).sum() / window.sum(), row, atol=tolerance)


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def off_axis_scene() -> Scene:
    """The optical axis is not at the centre of the image."""
    return Scene(principal=(44.2, 37.9))
