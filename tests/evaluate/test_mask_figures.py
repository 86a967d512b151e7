import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import trimesh

from isopts.data.posed_views import PosedViews
from isopts.errors import InputError
from isopts.evaluate.mask_figures import mask_figures
from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.triangle_mesh import TriangleMesh

RADII = (1.0, 1.1, 0.75, 1.25, 1.0)


@dataclasses.dataclass(frozen=True)
class Views:
    """What `mask_figures` needs of PosedViews: one camera again and again, masks of balls of various sizes."""

    names: list[str]
    cameras: Cameras
    photographs: list
    labels = PosedViews.labels

    def __len__(self) -> int:
        return len(self.names)

    def mask(self, view: int) -> np.ndarray:
        row, column = np.mgrid[:100, :100]
        return np.hypot(row - 49.5, column - 49.5) < 180 * math.tan(math.asin(RADII[view] / 5))


@dataclasses.dataclass(frozen=True)
class Photograph:
    image: Path


def views_named(names: list[str]) -> Views:
    camera = Camera(np.array([[180, 0, 49.5], [0, 180, 49.5], [0, 0, 1]]), np.eye(3), np.array([0, 0, 5.0]))
    folders = [Photograph(Path(f"{index}") / name) for index, name in enumerate(names)]
    return Views(names, Cameras.stack([camera] * len(names), [(100, 100)] * len(names)), folders)


@pytest.fixture
def ball() -> TriangleMesh:
    mesh = trimesh.creation.icosphere(subdivisions=4)
    return TriangleMesh(np.asarray(mesh.vertices), np.asarray(mesh.faces))


def test_mean_least_and_names(ball):
    report = mask_figures(ball, views_named(["a.png", "b.png", "c.png", "d.png", "e.png"]))
    areas = [math.tan(math.asin(radius / 5)) ** 2 for radius in RADII]
    expected = [min(areas[0], area) / max(areas[0], area) for area in areas]
    ious = [figures["mask_iou"] for figures in report.views.values()]
    assert ious == pytest.approx(expected, abs=0.015)
    assert report.figures["mask_iou_mean"] == pytest.approx(np.mean(ious))
    assert report.figures["mask_iou_least"] == min(ious) == ious[2]
    assert report.views["c.png"]["mask_extra"] == pytest.approx(areas[0] / areas[2] - 1, abs=0.04)
    assert report.views["d.png"]["mask_missing"] == pytest.approx(1 - areas[0] / areas[3], abs=0.015)
    (note,) = report.notes
    assert [word for word in note.split() if word.endswith(".png")] == ["c.png", "d.png", "b.png"]
    assert f"c.png ({ious[2]:.4f})" in note


def test_names_that_repeat_are_told_apart_by_their_folders(ball):
    report = mask_figures(ball, views_named(["a.png", "b.png", "a.png"]))
    assert list(report.views) == [str(Path("0/a.png")), str(Path("1/b.png")), str(Path("2/a.png"))]


def test_a_cloud_has_no_silhouette(ball):
    with pytest.raises(InputError, match="A cloud has no silhouette"):
        mask_figures(TriangleMesh(ball.vertices, np.zeros((0, 3))), views_named(["a.png"]))
