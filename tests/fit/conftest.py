"""Posed images of a coloured ball, small, far from the origin and not of unit size; fits of them that take a second."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from torch.nn import functional

from isopts.cli.views_folder import ViewsFolder
from isopts.cli.views_subject import ViewsSubject
from isopts.config import load_config
from isopts.data.masks import MaskConfig
from isopts.data.views import ViewsConfig
from isopts.fit.conduct import FitRun
from isopts.fit.fitted import view_preview
from isopts.fit.mvr import fit_mvr
from isopts.fit.result import FitResult
from isopts.fit.views.config import DataConfig, MvrConfig
from isopts.fit.views.prepared_views import PreparedViews, prepare_views
from isopts.geometry.camera_sphere import CameraSphereConfig, place_cameras
from isopts.geometry.cameras import Cameras
from isopts.geometry.sphere import Sphere
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.render.lights import Lights, fixed_lights
from isopts.render.synthetic_view import SurfaceHits, VisibleSurface, render_view
from isopts.run.log import StepReport

BALL_RADIUS = 2 / 3  # in its unit frame, whose sphere is half as large again
SMALL = (
    *(f"{net}.grid.{key}" for net in ("field", "radiance") for key in ("levels=3", "base_resolution=8", "width=16")),
    "field.grid.finest_resolution=24",
    "radiance.grid.finest_resolution=24",
    "start.steps=40",
    "sampling.colors=256",
    "sampling.patches=192",
    "sampling.silhouettes=256",
    "sampling.eikonal=64",
    "sampling.curvature=32",
    "photo.half_size=2",
    "photo.levels=[0.5]",
    "photo.floors=[-0.5, 0.0]",
    "isopoints.count=400",
    "isopoints.every_steps=10",
    "isopoints.extraction.cell_resolution=24",
    "fit.steps=30",
    "fit.sampled_resolution=24",
    "fit.log_every=5",
    "finish.samples=512",
    "finish.pool=4000",
    "output.mesh.resolution=40",
    "output.isopoints=300",
)


@dataclass(frozen=True)
class BallViews:
    """Images of 48x36 pixels of a ball, in IDR's convention. Its colour is a function of the place, the same
    from every side."""

    folder: Path
    cameras: Cameras
    lights: Lights
    center: tuple[float, float, float] = (310.0, -220.0, 540.0)
    radius: float = 40.0

    def distances(self, points: np.ndarray) -> np.ndarray:
        """(N,) signed, of world points (N, 3)."""
        return np.linalg.norm(points - np.array(self.center), axis=1) - self.radius

    def colors(self, points: np.ndarray) -> np.ndarray:
        """(N, 3) in 0 ... 1 of world points (N, 3) on the ball."""
        unit = torch.from_numpy((points - np.array(self.center)) / self.radius).float()
        return (smooth_albedo(unit) * self.lights.irradiance(unit, unit)).clamp(0, 1).numpy()


def smooth_albedo(points: torch.Tensor) -> torch.Tensor:
    """(N, 3) at points (N, 3) of the ball's unit frame; a wave is 14 pixels long in the middle of an image."""
    x, y, z = points.unbind(1)
    waves = [torch.sin(7 * x + 2 * y), torch.sin(7 * y - 2 * z + 1), torch.sin(7 * z + 2 * x + 2)]
    return 0.5 + 0.3 * torch.stack(waves, dim=1)


def write_ball_views(folder: Path, **cameras: int | bool | tuple[int, int]) -> BallViews:
    ball = BallViews(folder, None, fixed_lights("directional", np.random.default_rng(1)))
    sphere = trimesh.creation.icosphere(subdivisions=4)
    mesh = TriangleMesh(np.asarray(sphere.vertices) * ball.radius + ball.center, np.asarray(sphere.faces))
    subject = ViewsSubject(mesh, Sphere(ball.center, ball.radius))
    made = subject.surface(None)

    def albedo(hits: SurfaceHits) -> torch.Tensor:
        return smooth_albedo(hits.points)

    surface = VisibleSurface(made.mesh, made.face_normals, made.normals, albedo)
    config = CameraSphereConfig(**{"size": (48, 36), **cameras})
    cameras = place_cameras(subject.points(), subject.sphere, config, np.random.default_rng(0))
    views = ViewsFolder(folder, config.views)
    views.start({})
    for view in range(config.views):
        shot = render_view(surface, cameras.in_frame(subject.sphere.frame()), view, ball.lights)
        views.add(view, shot, ball.radius)
    views.finish(cameras, Sphere(ball.center, 1.5 * ball.radius), mesh, "ball")
    return BallViews(folder, cameras, ball.lights)


@pytest.fixture(scope="session")
def ball(tmp_path_factory: pytest.TempPathFactory) -> BallViews:
    """Not to be changed by a test."""
    return write_ball_views(tmp_path_factory.mktemp("views") / "ball", views=12)


@pytest.fixture(scope="session")
def prepared_ball(ball: BallViews) -> PreparedViews:
    """Not to be changed by a test."""
    return prepare_views(ball.folder, DataConfig(), torch.device("cpu"), torch.Generator().manual_seed(0))


@pytest.fixture(scope="session")
def close_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 views from above, near enough to each other for photo-consistency. Not to be changed by a test."""
    return write_ball_views(tmp_path_factory.mktemp("views") / "close", views=36, half_sphere=True).folder


@pytest.fixture(scope="session")
def close_views(close_folder: Path) -> PreparedViews:
    """Of `close_folder`. Not to be changed by a test."""
    return prepare_views(close_folder, DataConfig(), torch.device("cpu"), torch.Generator().manual_seed(0))


class ExactBall:
    """The signed distance of the ball, or of one of another size, in the unit frame of its views."""

    def __init__(self, radius: float = BALL_RADIUS):
        self.radius = radius

    def value(self, points: torch.Tensor) -> torch.Tensor:
        return points.norm(dim=1) - self.radius

    def value_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.value(points), functional.normalize(points, dim=1)


@pytest.fixture(scope="session")
def exact_ball() -> type[ExactBall]:
    """Of a radius, 2/3 where none is given."""
    return ExactBall


@pytest.fixture(scope="session")
def unmasked_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """36 views of `ball` from above, without masks and with its region. Not to be changed by a test."""
    folder = write_ball_views(tmp_path_factory.mktemp("views") / "unmasked", views=36, half_sphere=True).folder
    shutil.rmtree(folder / "mask")
    return folder


@pytest.fixture(scope="session")
def unmasked_views(unmasked_folder: Path) -> PreparedViews:
    """Of `unmasked_folder`. Not to be changed by a test."""
    config = DataConfig(views=ViewsConfig(masks=MaskConfig(source="none")))
    return prepare_views(unmasked_folder, config, torch.device("cpu"), torch.Generator().manual_seed(0))


@pytest.fixture
def coarse_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures that a fit writes of itself from a coarse copy of the field."""
    monkeypatch.setattr(view_preview, "_RESOLUTION", 32)


@pytest.fixture(scope="session")
def small_config() -> Callable[..., MvrConfig]:
    """(changes `a.b=value`) -> the configuration of a fit that takes a second."""

    def changed(*changes: str) -> MvrConfig:
        return load_config(MvrConfig, "mvr_fast", [*SMALL, *changes])

    return changed


@pytest.fixture(scope="session")
def fit(small_config: Callable[..., MvrConfig]) -> Callable[..., tuple[FitResult, list[StepReport], list[str]]]:
    """(views, folder, *changes, stop_after=step, stop_if=condition, **options of FitRun) -> result, reports and notes
    of a small fit."""

    def fitted(
        views: Path,
        folder: Path,
        *changes: str,
        stop_after: int | None = None,
        stop_if: Callable[[], bool] = lambda: False,
        **options: bool | float,
    ):
        reports, notes = [], []

        def stop() -> bool:
            return stop_if() or (stop_after is not None and len(reports) > 0 and reports[-1].step >= stop_after)

        run = FitRun(views, folder, torch.device("cpu"), **options)
        return fit_mvr(run, small_config(*changes), reports.append, notes.append, stop), reports, notes

    return fitted
