"""Configuration of fit-mvr. Lengths are in the unit frame, in which the object fills most of the unit sphere."""

from typing import Literal

from pydantic import Field, model_validator

from isopts.config import StrictModel
from isopts.data.views import ViewsConfig
from isopts.field.build import FieldConfig
from isopts.field.grid import GridConfig
from isopts.field.radiance import RadianceConfig
from isopts.fit.cameras.config import CamerasConfig
from isopts.fit.colors.exposure import ExposureConfig
from isopts.fit.colors.finish import FinishConfig
from isopts.fit.fitted.outputs import OutputConfig
from isopts.fit.optimizer import OptimizerConfig, Rates
from isopts.fit.photo.carving import CarveConfig
from isopts.isopoints.concentrate import ConcentrateConfig
from isopts.isopoints.extract import IsoPointsConfig
from isopts.isopoints.project import ProjectionConfig
from isopts.isopoints.resample import ResampleConfig
from isopts.mesh.extract import MeshConfig
from isopts.render.trace import SphereTracingConfig


class DataConfig(StrictModel):
    """The posed images."""

    path: str | None = Field(None, description="folder of posed images, where the command line names none")
    views: ViewsConfig = Field(ViewsConfig(), description="how the folder is read")
    prior: str | None = Field(
        None,
        description="file of points on the surface, which steer the fit (--prior); null: without masks the points of "
        "COLMAP's model, if there is one",
    )
    holdout: tuple[int, ...] = Field((), description="views that are not fitted but compared with, counted from 0")
    pixels_max: int = Field(
        1_000_000, ge=100, description="images are shrunk by whole factors to at most so many pixels"
    )
    mask_offset: float | None = Field(
        None,
        ge=-100,
        le=100,
        description="pixels of the shrunk images by which all masks are too large, negative: too small; null: where "
        "photographs agree far better about a hull of smaller or larger masks (start.init hull), it is told from them; "
        "not with cameras.enabled",
    )


class StartConfig(StrictModel):
    """The surface before the first step."""

    init: Literal["auto", "hull", "depths", "sphere"] = Field(
        "auto",
        description="hull: soft visual hull of the masks; depths: the surface through depths that agree between the "
        "images; sphere; auto: hull with masks, depths without",
    )
    steps: int = Field(150, ge=1, description="hull, depths: steps that fit the field to it")
    wrong_masks: int = Field(
        -1, ge=-1, le=15, description="hull: masks that may be wrong; -1: one in thirty, besides those that stand out"
    )


class SamplingConfig(StrictModel):
    """What is drawn in each step."""

    mode: Literal["rays", "isopoints", "importance"] = Field(
        "isopoints", description="where colours are compared: at traced rays, at iso-points, at concentrated iso-points"
    )
    tracer: Literal["sampled", "sphere"] = Field(
        "sampled", description="rays: through a sampled copy of the field, fast; or IDR's sphere tracing of the field"
    )
    colors: int = Field(1536, ge=0, description="rays or iso-points whose colours are compared")
    colors_final: int = Field(0, ge=0, description="the same at the last step, rising or falling linearly; 0: constant")
    patches: int = Field(1536, ge=0, description="iso-points whose photo-consistency is looked at")
    silhouettes: int = Field(
        2048,
        ge=0,
        description="rays near the silhouettes, half of them outside; without masks half as many points "
        "beyond the region of interest",
    )
    prior: int = Field(512, ge=0, description="points that are known to lie on the surface, where there are any")
    eikonal: int = Field(1024, ge=0, description="points for the eikonal term, half of them near the surface")
    curvature: int = Field(512, ge=0, description="pairs of nearby points for the curvature term")


class LossConfig(StrictModel):
    """Weight of each term; 0 leaves it out."""

    color: float = Field(1.0, ge=0, description="L1 between rendered and photographed colours")
    photo: float = Field(
        0.6, ge=0, description="1 - NCC of patches between the views that see an iso-point, see photo.tolerance"
    )
    silhouette: float = Field(
        20.0,
        ge=0,
        description="f on the wrong side at rays near the silhouettes, in lengths; without masks beyond the "
        "region of interest",
    )
    mask: float = Field(0.0, ge=0, description="IDR's cross entropy of sigmoid(-a f) with the mask, over a")
    mask_sharpness: float = Field(50.0, gt=0, description="a at the first step")
    mask_sharpness_final: float = Field(
        0.0, ge=0, description="a at the last step, doubled in between at equal intervals; 0: constant"
    )
    prior: float = Field(
        2.0, ge=0, description="|f| beyond their noise, at points that are known to lie on the surface"
    )
    prior_final: float = Field(0.003, ge=0, description="the same at the last step, falling exponentially; 0: constant")
    prior_reach: float = Field(
        0.05, gt=0, description="known points farther than this and their noise are outliers and pull not, unit frame"
    )
    eikonal: float = Field(0.1, ge=0, description="(|grad f| - 1)^2 around the surface and anywhere")
    curvature: float = Field(0.05, ge=0, description="difference of unit gradients at nearby points")
    curvature_final: float = Field(
        0.003, ge=0, description="the same at the last step, falling exponentially; 0: constant"
    )
    curvature_distance: float = Field(0.01, gt=0, description="how far apart, standard deviation, unit frame")
    point_gradient_max: float = Field(
        0.0, ge=0, description="largest gradient with respect to a surface point; IDR's is 0.1; 0: no limit"
    )


class PhotoConfig(StrictModel):
    """Photo-consistency of iso-points as surfels (METHOD section 4b)."""

    half_size: int = Field(3, ge=1, le=5, description="patches of 2 h + 1 pixels along a side")
    levels: tuple[float, ...] = Field(
        (0.15, 0.3, 0.5),
        description="shares of the budget at which the next finer image level begins, the coarsest first",
    )
    floors: tuple[float, ...] = Field(
        (-0.5, 0.0, 0.2, 0.3), description="NCC below which a source view does not count; coarsest level first"
    )
    tolerance: float = Field(
        0.1, gt=0, description="1 - NCC at which a patch pulls half as much as a perfect one; large: all pull alike"
    )
    bend_pixels: float = Field(
        1.5,
        ge=0,
        description="patches bend with the surface, by how its normals turn over so many pixels to each side; 0: they "
        "are flat",
    )
    detrended_levels: int = Field(
        4,
        ge=0,
        description="finest levels at which what is linear across a patch does not count: shades of light that moved",
    )
    seen_share: float = Field(
        0.75,
        ge=0,
        le=1,
        description="of the surface under a patch, as far as iso-points resolve it: views that see less do not compare "
        "it; 0: all do that see its middle",
    )
    best: int = Field(3, ge=1, description="sources of a surfel that count, those with the highest NCC")
    offset_gradient_pixels: float = Field(
        1.5, gt=0, description="limit of the gradient along the normal, in units of one over a pixel's size"
    )
    carve: CarveConfig = Field(CarveConfig(), description="cavities that the silhouettes do not show")

    agreement_min: float = Field(
        0.65,
        ge=0,
        le=1,
        description="a view whose mean NCC with the others is below this share of theirs with each other, and no part "
        "of the spread, is left out from then on: its pose is wrong; 0: none is",
    )

    @model_validator(mode="after")
    def _a_floor_a_level(self) -> "PhotoConfig":
        if len(self.floors) != len(self.levels) + 1:
            raise ValueError("photo.floors needs one entry more than photo.levels has")
        if list(self.levels) != sorted(self.levels):
            raise ValueError("photo.levels must rise")
        return self


class IsopointsConfig(StrictModel):
    """Iso-points during the fit."""

    count: int = Field(14_000, ge=2, description="iso-points")
    first_step: int = Field(1, ge=1, description="step before which they are first extracted; until then rays")
    every_steps: int = Field(100, ge=1, description="steps between extractions")
    jitter: float = Field(
        0.0, ge=0, description="moved by up to this on each axis and projected again whenever drawn, unit frame"
    )
    extraction: IsoPointsConfig = Field(
        IsoPointsConfig(
            projection=ProjectionConfig(tolerance=1e-4, steps_max=6),
            resample=ResampleConfig(iterations=2),
            jitter=0.01,
            candidates_per_point=1.25,
        ),
        description="projection and resampling",
    )
    importance: Literal["loss", "photo", "curvature"] = Field(
        "loss",
        description="mode importance: where colours are worst over all views, where patches agree least, or where the "
        "surface is curved",
    )
    concentrate: ConcentrateConfig = Field(ConcentrateConfig(), description="mode importance: how many more, and where")
    visible_cosine: float = Field(0.15, ge=0, lt=1, description="points seen more obliquely do not count as visible")
    write_every: int = Field(0, ge=0, description="extractions between step_*.ply files; 0 writes none")


class FitConfig(StrictModel):
    """Length and rhythm of the fit."""

    steps: int = Field(3000, ge=1, description="optimisation steps")
    seconds: float = Field(
        0.0,
        ge=0,
        description="instead of steps: seconds from the command to the mesh; the fit gets what start and colours leave,"
        " three tenths at least (--budget); 0: steps",
    )
    sampled_resolution: int = Field(
        96, ge=16, le=512, description="cells along the side of the sampled copy of the field that rays march through"
    )
    log_every: int = Field(50, ge=1, description="steps between lines of log.jsonl")
    checkpoint_every: int = Field(1000, ge=1, description="steps between checkpoints")
    mesh_every: int = Field(0, ge=0, description="steps between meshes/step_*.ply; 0 writes none")
    preview_every: int = Field(
        0, ge=0, description="steps between previews/step_*.png, one view rendered; 0 writes none"
    )


class MvrConfig(StrictModel):
    """Everything that a fit of posed images depends on, but the images."""

    data: DataConfig = Field(DataConfig(), description="the posed images")
    field: FieldConfig = Field(
        FieldConfig(grid=GridConfig(levels=6, finest_resolution=160, log2_table_size=19)),
        description="the signed distance network",
    )
    radiance: RadianceConfig = Field(RadianceConfig(), description="the colour network")
    start: StartConfig = Field(StartConfig(), description="the surface before the first step")
    sampling: SamplingConfig = Field(SamplingConfig(), description="what is drawn in each step")
    losses: LossConfig = Field(LossConfig(), description="weight of each term; 0 leaves it out")
    photo: PhotoConfig = Field(PhotoConfig(), description="photo-consistency of iso-points")
    isopoints: IsopointsConfig = Field(IsopointsConfig(), description="iso-points during the fit")
    tracing: SphereTracingConfig = Field(SphereTracingConfig(), description="the sphere tracer")
    optimizer: OptimizerConfig = Field(
        OptimizerConfig(learning_rate=6e-4, table_learning_rate=4.8e-3), description="Adam and its schedule"
    )
    radiance_rates: Rates = Field(Rates(), description="learning rates of the colour network, same schedule")
    exposure: ExposureConfig = Field(ExposureConfig(), description="brightness and tint of each photograph")
    cameras: CamerasConfig = Field(CamerasConfig(), description="corrections of poses and focal lengths")
    fit: FitConfig = Field(FitConfig(), description="length and rhythm of the fit")
    finish: FinishConfig = Field(FinishConfig(), description="colours learned again when the surface is finished")
    output: OutputConfig = Field(
        OutputConfig(mesh=MeshConfig(resolution=320)), description="what is written at the end"
    )
    seed: int = Field(0, ge=0, lt=2**63, description="of every random choice (--seed)")

    @model_validator(mode="after")
    def _keys_fit_together(self) -> "MvrConfig":
        if self.output.open:
            raise ValueError("output.open is for scans; a surface from images is closed, set it to false")
        for loss, samples in (
            ("color", "colors"),
            ("photo", "patches"),
            ("curvature", "curvature"),
            ("eikonal", "eikonal"),
            ("prior", "prior"),
        ):
            if getattr(self.losses, loss) > 0 and getattr(self.sampling, samples) == 0:
                raise ValueError(f"losses.{loss} acts on sampling.{samples}; set it above 0")
        if self.data.mask_offset and self.data.views.masks.source == "none":
            raise ValueError("data.mask_offset moves masks, and there are none (data.views.masks.source); leave it out")
        if self.start.init == "hull" and self.data.views.masks.source == "none":
            raise ValueError(
                "start.init=hull needs masks, there are none (data.views.masks.source); use auto or depths"
            )
        if self.cameras.enabled and self.start.init == "sphere" and not self.cameras.rounds:
            raise ValueError("start.init=sphere tells nothing about cameras; cameras.rounds must not be empty")
        if self.isopoints.importance == "photo" and self.losses.photo == 0:
            raise ValueError("isopoints.importance=photo needs losses.photo; set it above 0")
        if max(self.losses.silhouette, self.losses.mask) > 0 and self.sampling.silhouettes < 2:
            raise ValueError("losses.silhouette and losses.mask act on sampling.silhouettes; set it to 2 or more")
        if max(self.losses.silhouette, self.losses.mask, self.losses.eikonal) == 0:
            raise ValueError("losses.silhouette, losses.mask and losses.eikonal are all 0; each step needs one of them")
        return self
