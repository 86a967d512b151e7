"""The session of `isopts make-views`: cameras, lights, and one view after the other."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from pydantic import Field
from rich.console import Console
from rich.progress import track

from isopts.cli.views_folder import ViewsFolder
from isopts.cli.views_subject import ViewsSubject
from isopts.config import StrictModel
from isopts.geometry.camera_sphere import CameraSphereConfig, place_cameras
from isopts.geometry.sphere import Sphere
from isopts.kernels.launch import set_threads
from isopts.render.lights import LightKind, fixed_lights, view_lights
from isopts.render.procedural_texture import ProceduralTexture
from isopts.render.synthetic_view import render_view
from isopts.run.threads import idle_processors

_REGION_MARGIN = 1.1  # the region of interest is a little larger than the object


class ShootConfig(StrictModel):
    """How a subject is photographed."""

    cameras: CameraSphereConfig = Field(CameraSphereConfig(), description="where the cameras are")
    texture: bool = Field(True, description="procedural texture; else the mesh's own colours, or grey")
    lights: LightKind = Field("directional", description="three coloured lights: directional or point")
    fixed_lights: bool = Field(False, description="the same lights in every view")
    seed: int = Field(0, ge=0, description="of all random choices")


def shoot_views(subject: ViewsSubject, config: ShootConfig, folder: ViewsFolder, threads: int, quiet: bool) -> None:
    """Render all views into a folder that is started, and finish it. Each thread (0: the idle processors) renders
    views of its own; what is written does not depend on their number."""
    for_cameras, for_texture, for_lights = (np.random.default_rng([config.seed, part]) for part in range(3))
    cameras = place_cameras(subject.points(), subject.sphere, config.cameras, for_cameras)
    local = cameras.in_frame(subject.sphere.frame())
    surface = subject.surface(ProceduralTexture(for_texture) if config.texture else None)
    fixed = fixed_lights(config.lights, for_lights) if config.fixed_lights else None
    lights = [fixed or view_lights(rotation, config.lights, for_lights) for rotation in local.rotations]

    def shoot(view: int) -> None:
        folder.add(view, render_view(surface, local, view, lights[view]), subject.sphere.radius)

    torch.set_num_threads(1)
    set_threads(1)
    console = Console(stderr=True)
    with ThreadPoolExecutor(threads or idle_processors()) as pool:
        done = pool.map(shoot, range(len(cameras)))
        try:
            for _ in track(done, "views", len(cameras), console=console, disable=quiet or not console.is_terminal):
                pass
        finally:
            pool.shutdown(cancel_futures=True)  # after an error or Ctrl-C
    region = Sphere(subject.sphere.center, _REGION_MARGIN * subject.sphere.radius)
    folder.finish(cameras, region, subject.mesh, "isopts make-views: exact surface of the views, world frame")
