"""Configuration of fit-points. Lengths are in the unit frame, in which the scan's longest side is 1.5."""

from pydantic import Field, model_validator

from isopts.config import StrictModel
from isopts.field.build import FieldConfig
from isopts.fit.clouds.weights import WeightMode
from isopts.fit.fitted.outputs import OutputConfig
from isopts.fit.optimizer import OptimizerConfig
from isopts.isopoints.extract import IsoPointsConfig


class PrepareConfig(StrictModel):
    """From the scan to clean, oriented points in the unit frame."""

    longest_side: float = Field(1.5, gt=0, le=1.8, description="longest side of the scan in the unit frame")
    thin_to: int = Field(
        500_000,
        ge=0,
        description="a scan of at least twice as many points is averaged in groups to about this many; 0: never",
    )
    outlier_factor: float = Field(
        5.0,
        ge=0,
        description="points whose 16th neighbour is farther than this many times that of most are dropped, and points "
        "in clutter; 0: none",
    )
    local_outlier_factor: float = Field(
        2.0,
        ge=0,
        description="the same, compared with the 16 neighbours themselves, whatever the density; 0: none",
    )
    normal_neighbors: int = Field(
        0, ge=0, description="neighbours that estimate a missing normal; 0: as many as make its plane flattest"
    )
    denoise_normals: bool = Field(False, description="bilateral filter on the normals (--denoise-normal)")


class SamplingConfig(StrictModel):
    """Points drawn in each step."""

    data: int = Field(2048, ge=1, description="points of the scan")
    gaussian: int = Field(1024, ge=0, description="points of the scan displaced by Gaussian noise")
    gaussian_std: float = Field(0.02, gt=0, description="standard deviation of that displacement, unit frame")
    uniform: int = Field(0, ge=0, description="points anywhere in the domain [-1, 1]^3")
    signed: int = Field(1024, ge=0, description="points away from the scan, of known side and distance")
    signed_pool: int = Field(200_000, ge=1, description="points of known side and distance made before the fit")
    isopoints: int = Field(2048, ge=0, description="iso-points; 0 takes all of them")


class LossConfig(StrictModel):
    """Weight of each term; 0 leaves it out."""

    data: float = Field(0.1, ge=0, description="f on the scan in noise levels of the scan, weighted by trust")
    data_huber: float = Field(
        2.0, ge=0, description="noise levels from which on the data term is linear; 0 is |f|, whatever the noise"
    )
    normal: float = Field(
        2.0, ge=0, description="1 - cos between gradient and normal on a scan with normals, weighted by trust"
    )
    normal_estimated: float = Field(
        0.4, ge=0, description="instead of `normal` on a scan without: estimates say little that the points do not"
    )
    eikonal: float = Field(0.5, ge=0, description="(|grad f| - 1)^2 on the scan and on the samples around it")
    sign: float = Field(10.0, ge=0, description="known side and distance away from the scan, from the winding number")
    off_surface: float = Field(0.0, ge=0, description="exp(-a |f|) on gaussian and uniform samples")
    off_surface_sharpness: float = Field(100.0, gt=0, description="a, rising to twice this value at the last step")
    isopoint: float = Field(10.0, ge=0, description="|f| on iso-points")
    isopoint_normal: float = Field(5.0, ge=0, description="1 - cos between gradient and iso-point normal")
    isopoint_normal_estimated: float = Field(3.0, ge=0, description="the same, on a scan without normals")
    share_by_count: bool = Field(
        False, description="scale data terms by N / (N + M) and iso-point terms by M / (M + 8000), as the paper does"
    )
    off_normal: float = Field(
        0.0, ge=0, description="gradients against the nearest input normal, early in the fit (--use-off-normal-loss)"
    )
    off_normal_steps: int = Field(1000, ge=0, description="steps in which the off_normal term acts")
    sal: float = Field(0.0, ge=0, description="||f| - distance to the scan| on signed samples (--use-sal-loss)")


class IsopointsConfig(StrictModel):
    """Iso-points during the fit."""

    enabled: bool = Field(True, description="off: the network alone, for comparison")
    first_step: int = Field(150, ge=1, description="step before which iso-points are first extracted")
    every_steps: int = Field(100, ge=1, description="steps between extractions")
    count: int = Field(4000, ge=0, description="iso-points; 0 takes a sixteenth of the scan's points")
    extraction: IsoPointsConfig = Field(IsoPointsConfig(), description="projection and resampling")
    normal_neighbors: int = Field(
        8, ge=3, description="iso-points whose plane gives one its normal where consolidate_cells is 0"
    )
    weights: WeightMode = Field("bilateral", description="how data points are trusted: see isopts.fit.clouds.weights")
    weight_noise_levels: float = Field(
        4.0, ge=0, description="plane width of the weights in noise levels of the scan; 0 is the paper's own formula"
    )
    consolidate_cells: float = Field(
        0.5,
        ge=0,
        description="iso-points are moved onto the average of the scan, its Gaussian weights as wide as this many of "
        "the cells that follow_noise chooses, one spacing at least; 0: not",
    )
    write_every: int = Field(0, ge=0, description="extractions between step_*.ply files; 0 writes none")


class FitConfig(StrictModel):
    """Length and rhythm of the fit."""

    steps: int = Field(600, ge=1, description="optimisation steps")
    settle: float = Field(
        0.0,
        ge=0,
        description="fewer steps when the scan's loss changes by less than this share between two windows before the "
        "rates fall: noisy scans; 0: never",
    )
    settle_window: int = Field(30, ge=1, description="steps of such a window")
    log_every: int = Field(25, ge=1, description="steps between lines of log.jsonl")
    checkpoint_every: int = Field(200, ge=1, description="steps between checkpoints")
    mesh_every: int = Field(0, ge=0, description="steps between meshes/step_*.ply; 0 writes none")


class PointsConfig(StrictModel):
    """Everything that a fit of a point cloud depends on, but the cloud and the seed."""

    field: FieldConfig = Field(FieldConfig(), description="the network")
    follow_noise: bool = Field(
        True, description="grid decoder: finest_resolution is chosen from the scan's noise and spacing, whatever is set"
    )
    prepare: PrepareConfig = Field(PrepareConfig(), description="from the scan to clean, oriented points")
    sampling: SamplingConfig = Field(SamplingConfig(), description="points drawn in each step")
    losses: LossConfig = Field(LossConfig(), description="weight of each term; 0 leaves it out")
    isopoints: IsopointsConfig = Field(IsopointsConfig(), description="iso-points during the fit")
    optimizer: OptimizerConfig = Field(OptimizerConfig(), description="Adam and its schedule")
    fit: FitConfig = Field(FitConfig(), description="length and rhythm of the fit")
    output: OutputConfig = Field(OutputConfig(), description="what is written at the end")
    seed: int = Field(0, ge=0, lt=2**63, description="of every random choice (--seed)")

    @model_validator(mode="after")
    def _terms_have_samples(self) -> "PointsConfig":
        losses, sampling = self.losses, self.sampling
        if self.fit.settle > 0 and self.optimizer.schedule != "exponential":
            raise ValueError("fit.settle starts an exponential decay; set optimizer.schedule to exponential")
        if self.fit.settle > 0 and 2 * self.fit.settle_window >= self.optimizer.decay_start * self.fit.steps:
            raise ValueError(
                "fit.settle compares two windows before the decay: 2 * fit.settle_window must be below "
                "optimizer.decay_start * fit.steps, or set fit.settle to 0"
            )
        if max(losses.sign, losses.sal) > 0 and sampling.signed == 0:
            raise ValueError("losses.sign and losses.sal act on signed samples; set sampling.signed above 0")
        if max(losses.off_surface, losses.off_normal) > 0 and sampling.gaussian + sampling.uniform == 0:
            raise ValueError(
                "losses.off_surface and losses.off_normal act on gaussian and uniform samples; set sampling.gaussian "
                "or sampling.uniform above 0"
            )
        return self
